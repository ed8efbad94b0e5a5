import { MINUTE, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("queue starved by concurrency", "one long export holds the only slot", (world) => {
  const holder = world.once("export-tenant", { ago: 70 * MINUTE, payload: { tenant: "globex" } }, (step) => {
    for (let part = 1; part <= 139; part += 1) step.span(`export part ${part}`, { took: 30 * SECOND });
    step.log("INFO", "exported part 139 of 400", { part: 139 });
    step.span("export part 140", { open: true });
  });
  world.series(2, "export-tenant", (index) => ({
    ago: (40 - index) * MINUTE,
    status: "PENDING",
    payload: { tenant: `small-${index}` },
  }));
  const run = world.run("export-tenant", {
    ago: 25 * MINUTE,
    status: "PENDING",
    payload: { tenant: "acme" },
  });
  return {
    run,
    expect: {
      class: "queue_wait",
      culprit: { run: [holder.id, run.id] },
      evidence: [new RegExp(holder.id), /25(\.0)?m/, /\b2 [^;]*(queued|waiting|ahead|before)/],
    },
  };
});
