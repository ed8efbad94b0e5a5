import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const page = `<html><head><title>502 Bad Gateway</title></head><body>${"<p>The gateway is not well today.</p>\n".repeat(2_000)}</body></html>`;
const error = thrown("HttpError", `502 from https://billing.example.com/v1/invoices: ${page}`, [
  "post src/lib/billing.ts:51:13",
  "run src/trigger/bill-month.ts:23:17",
]);

export default exhibit("a whole page as the message", "70 kB of a gateway's HTML in every error", (world) => {
  const run = world.run("bill-month", { ago: HOUR, payload: { month: "2026-10", note: page } }, (told) => {
    for (const backOff of [1_000, 2_000, 0]) {
      told.attempt((step) => {
        step.span("POST /v1/invoices", { took: 310, error }, (posting) => {
          posting.log("ERROR", `billing answered ${page}`, { body: page });
        });
      });
      if (backOff > 0) told.backOff(backOff);
    }
  });
  return {
    run,
    expect: {
      class: "dependency",
      culprit: { run: run.id, span: run.span("POST /v1/invoices") },
      evidence: [/502 from https:\/\/billing\.example\.com/, /src\/lib\/billing\.ts:51/, /3 of 3|3 attempts/],
    },
  };
});
