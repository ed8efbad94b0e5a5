import { text } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = text("coupon SPRING has been used up");

export default exhibit("thrown text", "no error object, no stack: somebody threw a string", (world) => {
  const run = world.once("apply-coupon", { ago: HOUR, payload: { coupon: "SPRING" } }, (step) => {
    step.span("load coupon", { took: 10 });
    step.span("check coupon", { took: 2, error });
  });
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("check coupon") },
      evidence: [/coupon SPRING has been used up/],
    },
  };
});
