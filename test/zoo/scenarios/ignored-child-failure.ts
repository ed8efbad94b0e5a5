import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", 'template "welcome-v3" does not exist', [
  "render src/lib/templates.ts:15:9",
  "run src/trigger/send-welcome.ts:12:18",
]);

export default exhibit(
  "ignored child failure",
  "the parent never looked whether its child was ok",
  (world) => {
    const run = world.once(
      "sign-up",
      { ago: 22 * MINUTE, payload: { user: 10 }, output: { done: true } },
      (step) => {
        step.span("insert user", { took: 20 });
        step.triggerAndWait("send-welcome", { ignored: true, payload: { user: 10 } }, (work) =>
          work.span("render template", { took: 3, error }),
        );
        step.span("mark welcomed", { took: 5 });
      },
    );
    const child = world.find("send-welcome");
    return {
      run,
      expect: {
        class: "swallowed_error",
        culprit: { run: child.id, span: child.span("render template") },
        evidence: [/welcome-v3/, /send-welcome/],
      },
    };
  },
);
