import { MINUTE, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("expired before start", "its time to live ran out in the queue", (world) => {
  const holder = world.once("send-otp", { ago: 50 * MINUTE, payload: { user: "user_1" } }, (step) =>
    step.span("POST /messages", { took: 44 * MINUTE }),
  );
  const run = world.run("send-otp", {
    ago: 20 * MINUTE,
    queued: 600 * SECOND,
    ttl: "10m",
    status: "EXPIRED",
    payload: { user: "user_9" },
  });
  return {
    run,
    expect: {
      class: "expired",
      culprit: { run: [run.id, holder.id] },
      evidence: [
        /10m|10 ?min/,
        /TTL|time to live/i,
        /never (began|started|ran)|before it (began|started)|0 attempts/i,
      ],
    },
  };
});
