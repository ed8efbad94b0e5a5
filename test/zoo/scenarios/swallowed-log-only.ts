import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "only a log line tells",
  "no span failed: an ERROR line is all that is left",
  (world) => {
    let log = "";
    const run = world.once(
      "sync-newsletter",
      { ago: 35 * MINUTE, payload: { list: 4 }, output: { subscribed: 0 } },
      (step) => {
        step.span("load subscribers", { took: 60 });
        step.span("PUT /lists/4/members", { took: 240 }, (span) => {
          log = span.log("ERROR", "mail provider refused 1204 of 1204 members: list is archived", {
            status: 400,
          });
        });
      },
    );
    return {
      run,
      expect: {
        class: "swallowed_error",
        culprit: { run: run.id, span: [run.span("PUT /lists/4/members"), log] },
        evidence: [/refused 1204 of 1204 members/],
      },
    };
  },
);
