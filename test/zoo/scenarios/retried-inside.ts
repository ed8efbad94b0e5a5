import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", "502 Bad Gateway from https://geo.example.com", [
  "locate src/lib/geo.ts:18:11",
]);

export default exhibit(
  "retried inside the attempt",
  "green and right: the call failed once and was made again",
  (world) => {
    const run = world.once(
      "geocode-order",
      { ago: HOUR, payload: { order: 4 }, output: { lat: 45.7 } },
      (step) => {
        step.span("GET /geocode", { took: 900, error, caught: true });
        step.log("WARN", "geocoder answered 502, trying again", { status: 502 });
        step.pause(500);
        step.span("GET /geocode", { took: 130 });
        step.span("update order", { took: 8 });
      },
    );
    return {
      run,
      expect: {
        class: "recovered",
        culprit: { run: run.id, span: run.spans("GET /geocode").slice(0, 1) },
        evidence: [/502 Bad Gateway/, /GET \/geocode/],
      },
    };
  },
);
