import { thrown } from "../errors.ts";
import { HOUR, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown(
  "CarrierError",
  "503 Service Unavailable from https://api.carrier.example.com/v2/labels",
  ["postLabel src/lib/carrier.ts:27:11", "run src/trigger/create-label.ts:18:23"],
);
const http = (status: number) => ({
  http: { method: "POST", url: "https://api.carrier.example.com/v2/labels", status_code: status },
});

export default exhibit("dependency 503", "the carrier answers 503 until the retries are used up", (world) => {
  world.once("create-label", { ago: 3 * HOUR, payload: { shipment: 5011 } }, (step) =>
    step.span("POST /v2/labels", { took: 210, props: http(201) }),
  );
  const run = world.run("create-label", { ago: 6 * MINUTE, payload: { shipment: 5120 } }, (told) => {
    for (const backOff of [1_000, 2_000, 4_000, 0]) {
      told.attempt((step) => {
        step.span("load shipment", { took: 18 });
        step.span("POST /v2/labels", { took: 640, props: http(503), error }, (span) => {
          span.pause(630);
          span.log("WARN", "carrier answered 503, retry-after 30", { status: 503 });
        });
      });
      if (backOff > 0) told.backOff(backOff);
    }
  });
  return {
    run,
    expect: {
      class: "dependency",
      culprit: { run: run.id, span: run.span("POST /v2/labels") },
      evidence: [/503/, /carrier\.example\.com|POST \/v2\/labels/, /4 of 4|4 attempts/],
    },
  };
});
