import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const inChild = thrown("Error", "avatar is larger than 5 MB", ["shrink src/trigger/make-avatar.ts:22:11"]);
const error = thrown("TypeError", "Cannot read properties of null (reading 'team')", [
  "assignTeam src/lib/teams.ts:8:19",
  "run src/trigger/create-profile.ts:35:9",
]);

export default exhibit(
  "a child failed, but that was not it",
  "the parent goes on without an avatar and fails by itself",
  (world) => {
    const run = world.once("create-profile", { ago: HOUR, payload: { user: 61 } }, (step) => {
      step.triggerAndWait("make-avatar", { ignored: true, payload: { user: 61 } }, (making) => {
        making.span("shrink", { took: 12, error: inChild });
      });
      step.log("WARN", "no avatar, using the default one", { user: 61 });
      step.span("assign team", { took: 4, error });
    });
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("assign team") },
        evidence: [/reading 'team'/, /src\/lib\/teams\.ts:8/],
      },
    };
  },
);
