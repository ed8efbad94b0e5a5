import { thrown } from "../errors.ts";
import { HOUR, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const unknownHost = thrown("Error", "getaddrinfo ENOTFOUND rates.example.com", []);
const error = thrown(
  "TypeError",
  "fetch failed",
  ["loadRates src/lib/rates.ts:9:20", "run src/trigger/price-cart.ts:17:23"],
  unknownHost,
);

export default exhibit("fetch failed", "a TypeError by name, a name server by nature", (world) => {
  world.once("price-cart", { ago: 2 * HOUR, payload: { cart: 1 } }, (step) => {
    step.span("GET /rates", { took: 80 });
  });
  const run = world.once("price-cart", { ago: 5 * MINUTE, payload: { cart: 2 } }, (step) => {
    step.span("load cart", { took: 11 });
    step.span("GET /rates", { took: 41, error });
  });
  return {
    run,
    expect: {
      class: "dependency",
      culprit: { run: run.id, span: run.span("GET /rates") },
      evidence: [/fetch failed/, /ENOTFOUND/, /src\/lib\/rates\.ts:9/],
    },
  };
});
