import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("nothing wrong", "an ordinary run; a diagnosis must be able to say so", (world) => {
  world.series(
    4,
    "send-digest",
    (index) => ({ ago: (5 + index) * HOUR, payload: { user: index }, output: { sent: true } }),
    (step) => step.span("POST /messages", { took: 100 }),
  );
  const run = world.once(
    "send-digest",
    { ago: HOUR, payload: { user: 9 }, output: { sent: true } },
    (step) => {
      step.span("load user", { took: 12 });
      step.span("POST /messages", { took: 104 });
      step.log("INFO", "digest sent", {});
    },
  );
  return { run, expect: { class: "ok", culprit: { run: run.id }, evidence: [/COMPLETED/] } };
});
