import { SubtaskUnwrapError } from "../engine/failure.ts";
import type { TaskDefinition } from "../engine/types.ts";
import { fields, text } from "./payload.ts";

const SECTIONS = ["summary", "revenue", "churn", "forecast"];

/** Renders every section in a child run and joins them. One that fails takes the report down with it. */
export const generateReport: TaskDefinition = {
  id: "generate-report",
  retry: { maxAttempts: 1, minTimeoutMs: 250, factor: 2 },
  async run(payload, { span, work, log, batchTriggerAndWait }) {
    const { sections = SECTIONS, month: given } = fields(payload);
    const month = text(given, "2026-10");
    const names = Array.isArray(sections) ? sections.map(String) : SECTIONS;
    await span("load report definition", { report: { month, sections: names.length } }, () => work(15));
    log("INFO", `rendering ${names.length} sections`, { month });
    const outcomes = await batchTriggerAndWait(
      names.map((section) => ({ task: "render-section", payload: { section, month } })),
    );
    const rendered = outcomes.map((outcome) => {
      if (!outcome.ok) throw new SubtaskUnwrapError(outcome.run, outcome.error);
      return outcome.output;
    });
    await span(
      "write report.pdf",
      { http: { method: "PUT", url: "https://files.example.com/report.pdf" } },
      () => work(40),
    );
    return { month, sections: rendered };
  },
};
