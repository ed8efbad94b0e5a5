import { HOUR, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("delayed", "it was told to start in two hours", (world) => {
  const run = world.run("send-reminder", {
    ago: 30 * MINUTE,
    status: "DELAYED",
    delayedFor: 2 * HOUR,
    payload: { user: "user_43" },
  });
  return {
    run,
    expect: {
      class: "delayed",
      culprit: { run: run.id },
      evidence: [/14:00/, /2(\.0)? ?h|120 ?m|2h/, /reschedule_run/],
    },
  };
});
