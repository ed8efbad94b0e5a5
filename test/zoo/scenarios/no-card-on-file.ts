import { thrown } from "../errors.ts";
import { HOUR, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("TypeError", "Cannot read properties of undefined (reading 'id')", [
  "capturePayment src/trigger/charge.ts:42:34",
  "run src/trigger/charge.ts:20:11",
]);
const order = (orderId: number, cards: object[]) => ({
  orderId,
  amount: 121,
  customer: { id: "cus_81", cards },
});

export default exhibit(
  "no card on file",
  "the code takes a first card for granted; this customer has none",
  (world) => {
    world.once("process-order", { ago: 5 * HOUR, payload: order(987, [{ id: "card_7" }]) }, (step) => {
      step.triggerAndWait("charge-card", { payload: order(987, [{ id: "card_7" }]) }, (charging) => {
        charging.span("capture payment", { took: 310 });
      });
    });
    const run = world.once("process-order", { ago: 4 * MINUTE, payload: order(991, []) }, (step) => {
      step.span("validate order", { took: 6 });
      step.triggerAndWait("charge-card", { payload: order(991, []) }, (charging) => {
        charging.span("capture payment", { took: 2, error }, (capturing) => {
          capturing.log("WARN", "no default card for customer cus_81", { customer: "cus_81" });
        });
      });
    });
    const child = world.find("charge-card");
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: child.id, span: child.span("capture payment") },
        evidence: [/reading 'id'/, /src\/trigger\/charge\.ts:42/, /no default card/, /customer\.cards/],
      },
    };
  },
);
