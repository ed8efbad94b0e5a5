import { DAY, HOUR, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "one slow query",
  "a single statement took a minute longer than ever before",
  (world) => {
    world.series(
      6,
      "daily-stats",
      (index) => ({ ago: (6 - index) * DAY, payload: { day: index }, output: { rows: 24 } }),
      (step) => {
        step.span("select totals", { took: 900 });
        step.span("write stats", { took: 60 });
      },
    );
    const run = world.once(
      "daily-stats",
      { ago: HOUR, payload: { day: 7 }, output: { rows: 24 } },
      (step) => {
        step.span("select totals", { took: 61 * SECOND, props: { db: { system: "postgresql" } } });
        step.span("write stats", { took: 58 });
      },
    );
    return {
      run,
      expect: {
        class: "slow",
        culprit: { run: run.id, span: run.span("select totals") },
        evidence: [/select totals/, /1m ?1s|61(\.0)?s/, /960ms|0\.96s/],
      },
    };
  },
);
