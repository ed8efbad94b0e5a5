import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("RangeError", "Invalid array length", [
  "paginate src/lib/pages.ts:9:16",
  "run src/trigger/render-page.ts:14:21",
]);

export default exhibit(
  "child run three levels down",
  "four runs failed, one of them for a reason",
  (world) => {
    const run = world.once("publish-catalog", { ago: 9 * MINUTE, payload: { catalog: "spring" } }, (step) => {
      step.span("load catalog", { took: 40 });
      step.triggerAndWait("build-section", { payload: { section: "shoes" } }, (inSection) => {
        inSection.span("load articles", { took: 55 });
        inSection.triggerAndWait("build-spread", { payload: { spread: 7 } }, (inSpread) => {
          inSpread.triggerAndWait("render-page", { payload: { page: 14, columns: -1 } }, (inPage) => {
            inPage.span("load template", { took: 8 });
            inPage.span("split into columns", { took: 2, error });
          });
        });
      });
    });
    const page = world.find("render-page");
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: page.id, span: page.span("split into columns") },
        evidence: [
          /RangeError: Invalid array length/,
          /src\/lib\/pages\.ts:9/,
          /publish-catalog/,
          /build-section/,
        ],
      },
    };
  },
);
