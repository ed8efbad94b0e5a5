import type { TaskContext, TaskDefinition } from "../engine/types.ts";
import { fields, text } from "./payload.ts";

class ForecastError extends Error {
  override readonly name = "ForecastError";
}

/** One section of a report. The forecast always lacks the months it needs. */
export const renderSection: TaskDefinition = {
  id: "render-section",
  queue: { name: "rendering", concurrencyLimit: 3 },
  retry: { maxAttempts: 2, minTimeoutMs: 200, factor: 2 },
  async run(payload, context) {
    const section = text(fields(payload).section, "summary");
    const month = text(fields(payload).month, "2026-10");
    const { span, work } = context;
    const rows = await span(
      "query figures",
      { db: { system: "clickhouse", statement: `SELECT day, value FROM figures WHERE month = '${month}'` } },
      async () => {
        await work(35);
        return section === "forecast" ? 4 : 31;
      },
    );
    if (section === "forecast")
      await span("fit model", { model: { kind: "seasonal", rows } }, () => fitModel(rows, context));
    await span("draw chart", { chart: { section, rows } }, () => work(50));
    return { section, pages: 2 };
  },
};

async function fitModel(rows: number, { work, log }: TaskContext): Promise<void> {
  await work(20);
  log("WARN", `only ${rows} months of history`, { rows, needed: 12 });
  throw new ForecastError(`Not enough history to forecast: ${rows} of 12 months`);
}
