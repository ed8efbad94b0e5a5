import { MINUTE, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("cancelled by hand", "somebody stopped it in the middle of a page", (world) => {
  const run = world.once(
    "crawl-site",
    { ago: 50 * MINUTE, cancelled: "Canceled by user", payload: { site: "example.com" } },
    (step) => {
      step.span("GET /sitemap.xml", { took: 300 });
      step.span("crawl /products", { took: 95 * SECOND, open: true }, (span) => {
        span.pause(94 * SECOND);
        span.log("INFO", "crawling page 71 of 90000", { page: 71 });
      });
    },
  );
  return {
    run,
    expect: {
      class: "cancelled",
      culprit: { run: run.id, span: [run.span("crawl /products"), run.span("Attempt 1"), run.root.spanId] },
      evidence: [/Canceled by user/, /crawl \/products/],
    },
  };
});
