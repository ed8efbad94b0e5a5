import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("LockError", "seat 14C was taken between check and booking", [
  "bookSeat src/lib/seats.ts:77:11",
  "run src/trigger/book-seat.ts:20:16",
]);

export default exhibit("flaky one in five", "the same version fails now and then: a race", (world) => {
  const runs = world.series(
    20,
    "book-seat",
    (index) => ({ ago: (200 - index * 10) * MINUTE, payload: { flight: "LH101", passenger: index } }),
    (step, index) => {
      step.span("check seat", { took: 11 });
      step.span("book seat", { took: 7, ...(index % 5 === 4 && { error }) });
    },
  );
  const run = runs.at(-1);
  if (run === undefined) throw new Error("nothing failed");
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("book seat") },
      evidence: [
        /LockError/,
        /src\/lib\/seats\.ts:77/,
        /flaky|intermittent|now and then|1 in \d|\d+ of (the last )?\d+|same version/i,
      ],
    },
  };
});
