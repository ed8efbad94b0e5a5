import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown(
  "PrismaClientKnownRequestError",
  "Invalid `prisma.user.create()` invocation: Unique constraint failed on the fields: (`email`)",
  ["createUser src/lib/users.ts:26:22", "run src/trigger/import-users.ts:31:15"],
);

export default exhibit(
  "unique constraint",
  "the database did its part: the same address was imported twice",
  (world) => {
    const run = world.once("import-users", { ago: HOUR, payload: { file: "users.csv" } }, (step) => {
      step.span("read file", { took: 40 });
      step.span("INSERT users", { took: 5, error, props: { db: { system: "postgresql" } } });
    });
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("INSERT users") },
        evidence: [/Unique constraint failed/, /src\/lib\/users\.ts:26/],
      },
    };
  },
);
