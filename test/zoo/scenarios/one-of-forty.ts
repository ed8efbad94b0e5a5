import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("RangeError", "page 31 is out of range", [
  "readPage src/lib/pdf.ts:64:11",
  "run src/trigger/ocr-page.ts:15:22",
]);
const failed = thrown("Error", "Error in ocr-page: page 31 is out of range", [
  "run src/trigger/ocr-document.ts:29:9",
]);

export default exhibit("one of forty", "forty children, and the one that failed is the 31st", (world) => {
  const run = world.run("ocr-document", { ago: HOUR, payload: { document: 9 } }, (told) => {
    told.attempt({ error: failed }, (step) => {
      step.batch((start) => {
        for (let page = 1; page <= 40; page += 1) {
          start("ocr-page", { payload: { page } }, (reading) => {
            reading.span("read page", { took: 20 + page, ...(page === 31 && { error }) });
          });
        }
      });
    });
  });
  const failures = world.failed("ocr-page");
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: failures.map(({ id }) => id), span: failures.map((child) => child.span("read page")) },
      evidence: [/page 31 is out of range/, /src\/lib\/pdf\.ts:64/, /1 of 40|1 (failed )?child|39/],
    },
  };
});
