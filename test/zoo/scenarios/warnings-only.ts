import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";
import type { Work } from "../step.ts";

export default exhibit("warnings only", "a green run that warns, as it does every day", (world) => {
  const warned = { payload: { feed: 1 }, output: { items: 40 } };
  const work: Work = (step) => {
    step.span("GET /feed", { took: 200 });
    step.log("WARN", "feed has no language, assuming en", {});
    step.span("store items", { took: 30 });
  };
  world.series(3, "read-feed", (index) => ({ ago: (2 + index) * HOUR, ...warned }), work);
  const run = world.once("read-feed", { ago: HOUR, ...warned }, work);
  return { run, expect: { class: "ok", culprit: { run: run.id }, evidence: [/COMPLETED/] } };
});
