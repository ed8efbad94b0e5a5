import { MINUTE, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "long work that keeps talking",
  "one span open for 40 minutes, and a log line every ten seconds: it works",
  (world) => {
    const run = world.once("train-model", { ago: 40 * MINUTE, payload: { model: "churn" } }, (step) => {
      step.span("load figures", { took: 20 * SECOND });
      step.span("fit", { open: true }, (fitting) => {
        for (let epoch = 1; epoch <= 237; epoch += 1) {
          fitting.pause(10 * SECOND);
          fitting.log("INFO", `epoch ${epoch} of 400, loss ${(3 / epoch).toFixed(4)}`, { epoch });
        }
      });
    });
    return {
      run,
      expect: {
        class: "running",
        culprit: { run: run.id },
        evidence: [/epoch 237 of 400/, /\bfit\b/, /follow_run/],
      },
    };
  },
);
