import type { TaskDefinition } from "../engine/types.ts";
import { fields, text } from "./payload.ts";

class WebhookError extends Error {
  override readonly name = "WebhookError";
}

/** Delivers a webhook to a receiver that is overloaded at first: the second attempt gets through. */
export const flakyWebhook: TaskDefinition = {
  id: "flaky-webhook",
  retry: { maxAttempts: 4, minTimeoutMs: 300, factor: 2 },
  async run(payload, { span, work, log, attempt }) {
    const url = text(fields(payload).url, "https://hooks.example.com/orders");
    const signature = await span("sign body", { signature: { algorithm: "sha256" } }, async () => {
      await work(3);
      return "sha256=5f2b";
    });
    const status = attempt === 1 ? 503 : 200;
    await span("POST /orders", { http: { method: "POST", url, status_code: status } }, async () => {
      await work(45);
      if (status === 200) return;
      log("ERROR", `receiver answered ${status}`, { url, signature, attempt });
      throw new WebhookError(`${status} Service Unavailable from ${url}`);
    });
    return { delivered: true, attempts: attempt };
  },
};
