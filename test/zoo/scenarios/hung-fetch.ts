import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("hung fetch", "no answer for 38 minutes and no timeout on the request", (world) => {
  const run = world.once("fetch-invoices", { ago: 40 * MINUTE, payload: { tenant: "acme" } }, (step) => {
    step.span("load tenant", { took: 20 });
    step.span("GET /invoices?page=811", { took: 1_100 });
    step.log("INFO", "fetching page 812", { page: 812 });
    step.span("GET /invoices?page=812", {
      open: true,
      props: { http: { method: "GET", url: "https://erp.example.com/invoices?page=812" } },
    });
  });
  return {
    run,
    expect: {
      class: "stalled",
      culprit: { run: run.id, span: run.span("GET /invoices?page=812") },
      evidence: [/GET \/invoices\?page=812/, /(39|40)(\.\d)? ?m/, /fetching page 812/],
    },
  };
});
