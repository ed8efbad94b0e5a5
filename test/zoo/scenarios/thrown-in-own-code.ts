import { thrown } from "../errors.ts";
import { DAY, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("RangeError", "Invalid time value", [
  "nextBillingDate src/lib/billing-dates.ts:31:18",
  "run src/trigger/renew-subscription.ts:22:20",
]);

export default exhibit("thrown in own code", "February has no day 31: three attempts, one bug", (world) => {
  world.once(
    "renew-subscription",
    { ago: DAY, payload: { subscription: "sub_41", anchorDay: 12 } },
    (step) => {
      step.span("load subscription", { took: 24 });
      step.span("schedule next invoice", { took: 30 });
    },
  );
  const run = world.run(
    "renew-subscription",
    { ago: 4 * MINUTE, payload: { subscription: "sub_88", anchorDay: 31 } },
    (told) => {
      for (const backOff of [1_000, 2_000, 0]) {
        told.attempt((step) => {
          step.span("load subscription", { took: 22 });
          step.span("schedule next invoice", { took: 3, error }, (span) => {
            span.log("WARN", "anchor day 31 is past the end of 2027-02", { anchorDay: 31 });
          });
        });
        if (backOff > 0) told.backOff(backOff);
      }
    },
  );
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("schedule next invoice") },
      evidence: [
        /RangeError: Invalid time value/,
        /src\/lib\/billing-dates\.ts:31/,
        /3 of 3|same (way|failure)/,
        /anchor day 31 is past/,
      ],
    },
  };
});
