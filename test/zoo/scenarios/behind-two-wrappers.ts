import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const root = thrown("TypeError", "Cannot read properties of undefined (reading 'currency')", [
  "formatAmount src/lib/money.ts:18:30",
  "renderLines src/lib/invoice-pdf.ts:52:14",
]);
const rendering = thrown(
  "RenderError",
  "could not render invoice 2026-114",
  ["renderPdf src/lib/invoice-pdf.ts:71:11"],
  root,
);
const sending = thrown(
  "InvoiceError",
  "sending invoice 2026-114 failed",
  ["run src/trigger/send-invoice.ts:39:13"],
  rendering,
);

export default exhibit(
  "behind two wrapping errors",
  "a TypeError in a RenderError in an InvoiceError",
  (world) => {
    const run = world.run("send-invoice", { ago: 12 * MINUTE, payload: { invoice: "2026-114" } }, (told) => {
      told.attempt({ error: sending }, (step) => {
        step.span("load invoice", { took: 31 });
        step.span("render pdf", { error: rendering }, (span) => {
          span.span("layout", { took: 12 });
          span.span("format amounts", { took: 2, error: root });
        });
      });
    });
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("format amounts") },
        evidence: [
          /TypeError: Cannot read properties of undefined \(reading 'currency'\)/,
          /src\/lib\/money\.ts:18/,
          /InvoiceError/,
        ],
      },
    };
  },
);
