import type { Engine, Environment, StoredRun, TriggerRequest } from "../engine/types.ts";

const HOUR_MS = 3_600_000;

/**
 * Gives an environment without runs a believable morning: every example task at least once, good ends and bad ones,
 * a run that is still delayed and one that expires in its queue. Answers what was triggered.
 */
export function seed(engine: Engine, environment: Environment): StoredRun[] {
  if (engine.runs.list([environment.id], {}, { size: 1 }).rows.length > 0) return [];
  return requests(Date.now()).map((request) => engine.trigger(environment, request).run);
}

const requests = (now: number): TriggerRequest[] => [
  email("user_41"),
  order(987, [{ id: "card_7" }]),
  order(990, [{ id: "card_9" }]),
  request("flaky-webhook", { event: "order.paid", orderId: 990 }, ["order:990"]),
  order(991, []),
  request("generate-report", { month: "2026-09", sections: ["summary", "revenue", "churn"] }, ["monthly"]),
  request("generate-report", { month: "2026-10" }, ["monthly"]),
  request("sync-inventory", {}, ["warehouse:lyon"]),
  // Its queue takes one at a time: this one is given up before its turn comes.
  { ...request("sync-inventory", {}, ["warehouse:porto"]), ttl: "2s" },
  request("nightly-import", { source: "erp" }, ["nightly"]),
  email("user_42"),
  { ...email("user_43"), delayUntil: now + 2 * HOUR_MS, metadata: JSON.stringify({ campaign: "reminder" }) },
  order(992, []),
];

const request = (task: string, payload: unknown, tags: string[]): TriggerRequest => ({
  task,
  tags,
  payload: JSON.stringify(payload),
});

const email = (userId: string) =>
  request("send-welcome-email", { userId, email: `${userId}@example.com` }, [`user:${userId}`]);

const order = (orderId: number, cards: { id: string }[]) =>
  request(
    "process-order",
    { orderId, amount: 120 + (orderId % 10), customer: { id: `cus_${orderId - 910}`, cards } },
    [`order:${orderId}`],
  );
