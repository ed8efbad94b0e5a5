import { MINUTE, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const reason = "Canceled by user";

export default exhibit(
  "cancelled by parent",
  "the child went down with the run that had started it",
  (world) => {
    const parent = world.once(
      "import-customers",
      { ago: 30 * MINUTE, cancelled: reason, payload: { file: "c.csv" } },
      (step) => {
        step.span("split file", { took: 900 });
        step.triggerAndWait("import-chunk", { cancelled: reason, payload: { chunk: 3 } }, (inChunk) => {
          inChunk.span("insert customers", { took: 42 * SECOND, open: true });
        });
      },
    );
    const child = world.find("import-chunk");
    return {
      run: child,
      expect: {
        class: "cancelled",
        culprit: { run: parent.id },
        evidence: [new RegExp(parent.id), /import-customers/, /Canceled by user/],
      },
    };
  },
);
