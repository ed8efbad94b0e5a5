import { thrown } from "../errors.ts";
import { HOUR, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", "invoice 88 has no lines", [
  "total src/lib/invoice.ts:40:9",
  "run src/trigger/total-invoice.ts:9:17",
]);

export default exhibit(
  "clock skew",
  "the child's clock is 45 s behind: it fails before it begins",
  (world) => {
    const run = world.once("bill-customer", { ago: HOUR, payload: { customer: 3 } }, (step) => {
      step.span("load customer", { took: 25 });
      step.triggerAndWait("total-invoice", { skew: -45 * SECOND, payload: { invoice: 88 } }, (work) => {
        work.span("load lines", { took: 700 });
        work.span("sum lines", { took: 4, error });
      });
    });
    const child = world.find("total-invoice");
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: child.id, span: child.span("sum lines") },
        evidence: [/invoice 88 has no lines/, /src\/lib\/invoice\.ts:40/, /total-invoice/],
        absent: [/(?<![\w-])-\d+(\.\d+)?(ms|s|m)\b/, /NaN|Infinity/],
      },
    };
  },
);
