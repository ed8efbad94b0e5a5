import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const passing = thrown("Error", "read ECONNRESET", ["send src/lib/http.ts:30:11"]);
const error = thrown("TypeError", "total.toFixed is not a function", [
  "summary src/lib/summary.ts:14:22",
  "run src/trigger/weekly-summary.ts:40:18",
]);

export default exhibit(
  "an error got over, then another",
  "the deepest error was retried and went well; the one that counts came later",
  (world) => {
    const run = world.once("weekly-summary", { ago: 3 * HOUR, payload: { week: 46 } }, (step) => {
      step.span("collect figures", {}, (collecting) => {
        collecting.span("with retries", {}, (retrying) => {
          retrying.span("GET /figures", { took: 30, error: passing, caught: true });
          retrying.pause(200);
          retrying.span("GET /figures", { took: 70 });
        });
      });
      step.span("write summary", { took: 2, error });
    });
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("write summary") },
        evidence: [/total\.toFixed is not a function/, /src\/lib\/summary\.ts:14/],
      },
    };
  },
);
