import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const forecast = thrown("ForecastError", "Not enough history to forecast: 4 of 12 months", [
  "fitModel src/lib/forecast.ts:33:9",
  "run src/trigger/render-section.ts:21:24",
]);
const report = thrown("Error", "2 of 5 sections failed", ["run src/trigger/monthly-report.ts:47:11"]);

export default exhibit("batch partly failed", "two of five child runs failed, for one reason", (world) => {
  const run = world.run("monthly-report", { ago: 5 * HOUR, payload: { month: "2026-10" } }, (told) => {
    told.attempt({ error: report }, (step) => {
      step.span("load report definition", { took: 15 });
      step.batch((start) => {
        for (const section of ["summary", "revenue", "forecast", "churn", "forecast-eu"]) {
          start("render-section", { payload: { section } }, (work) => {
            work.span("query figures", { took: 35 });
            if (!section.startsWith("forecast")) work.span("draw chart", { took: 50 });
            else work.span("fit model", { took: 21, error: forecast });
          });
        }
      });
    });
  });
  const failed = world.failed("render-section");
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: failed.map(({ id }) => id), span: failed.map((child) => child.span("fit model")) },
      evidence: [
        /ForecastError|Not enough history/,
        /src\/lib\/forecast\.ts:33/,
        /2 of 5|2 (failed )?child|3 (succeeded|completed)/i,
      ],
    },
  };
});
