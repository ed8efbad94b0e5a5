import { thrown } from "../errors.ts";
import { HOUR, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("TypeError", "rates.find is not a function", [
  "pickRate src/lib/tax.ts:58:22",
  "run src/trigger/tax-report.ts:33:19",
]);

export default exhibit(
  "regression since a version",
  "green until 20261119.8, red from 20261120.3 on",
  (world) => {
    const good = world.series(
      5,
      "tax-report",
      (index) => ({
        ago: (20 - index) * HOUR,
        version: "20261119.8",
        payload: { country: "FR" },
        output: { lines: 12 },
      }),
      (step) => {
        step.span("GET /rates", { took: 120 });
        step.span("pick rates", { took: 4 });
      },
    );
    const bad = world.series(
      6,
      "tax-report",
      (index) => ({ ago: (120 - index * 20) * MINUTE, version: "20261120.3", payload: { country: "FR" } }),
      (step) => {
        step.span("GET /rates", { took: 118 });
        step.span("pick rates", { took: 2, error });
      },
    );
    const run = bad.at(-1);
    if (run === undefined) throw new Error("nothing failed");
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("pick rates") },
        evidence: [
          /since.*20261120\.3|20261120\.3.*since/,
          new RegExp(`${good.at(-1)?.id}`),
          /20261119\.8/,
          /src\/lib\/tax\.ts:58/,
        ],
      },
    };
  },
);
