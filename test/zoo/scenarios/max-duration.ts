import { internal } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = internal(
  "MAX_DURATION_EXCEEDED",
  "Run exceeded maximum compute time (maxDuration) of 300 seconds",
);

export default exhibit("max duration", "an import larger than the time it is given", (world) => {
  const run = world.once(
    "nightly-import",
    { ago: 7 * HOUR, maxDuration: 300, payload: { source: "erp" } },
    (step) => {
      for (let page = 1; page <= 118; page += 1) {
        step.span(`import page ${page}`, {}, (span) => {
          span.span("GET /rows", { took: 2_000 });
          span.span("insert rows", { took: 500 });
        });
        if (page % 25 === 0) step.log("INFO", `imported page ${page} of 640`, { page, pages: 640 });
      }
      step.span("import page 119", {}, (span) => {
        span.span("GET /rows", { took: 2_010 });
        span.span("insert rows", { took: 2_990, error });
      });
    },
  );
  return {
    run,
    expect: {
      class: "timeout",
      culprit: { run: run.id, span: run.span("insert rows") },
      evidence: [
        /MAX_DURATION_EXCEEDED|max(imum)? ?duration/i,
        /import page 119/,
        /imported page 100 of 640/,
      ],
    },
  };
});
