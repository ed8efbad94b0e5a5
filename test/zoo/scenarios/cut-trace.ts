import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", 'index "articles-2026" is read-only', [
  "publish src/lib/search.ts:66:11",
  "run src/trigger/reindex.ts:51:9",
]);

export default exhibit(
  "trace cut at the server's cap",
  "10,000 records come, the failing span is not among them",
  (world) => {
    const run = world.once("reindex", { ago: 4 * HOUR, payload: { index: "articles-2026" } }, (step) => {
      for (let document = 1; document <= 10_400; document += 1)
        step.span(`index document ${document}`, { took: 9 });
      step.span("publish index", { took: 40, error });
    });
    return {
      run,
      oldServer: true,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("publish index") },
        evidence: [/is read-only/, /src\/lib\/search\.ts:66/, /10,000|cut|truncated|cap/i],
      },
    };
  },
);
