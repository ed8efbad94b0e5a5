import type { TaskContext, TaskDefinition } from "../engine/types.ts";

interface Card {
  id: string;
}

interface Order {
  orderId: number;
  amount: number;
  /** The type promises a card where the checkout promises none: the mistake this example is about. */
  customer: { id: string; cards: [Card, ...Card[]] };
}

/** Charges a customer's first card. A customer without one makes every attempt fail the same way. */
export const processOrder: TaskDefinition = {
  id: "process-order",
  queue: { name: "orders", concurrencyLimit: 4 },
  retry: { maxAttempts: 3, minTimeoutMs: 250, factor: 2 },
  async run(payload, context) {
    const order = payload as Order;
    const { span, work } = context;
    context.setMetadata("step", "validate");
    await span("validate order", { order: { id: order.orderId, amount: order.amount } }, () => work(6));
    await span(
      "load stock",
      {
        db: {
          system: "postgresql",
          statement: "SELECT sku, available FROM stock WHERE order_id = $1",
          rows: 3,
        },
      },
      () => work(18),
    );
    context.setMetadata("step", "payment");
    const payment = await span("capture payment", { payment: { provider: "cardpay", currency: "EUR" } }, () =>
      capturePayment(order, context),
    );
    context.setMetadata("step", "done");
    return { orderId: order.orderId, paymentId: payment };
  },
};

async function capturePayment({ customer, amount, orderId }: Order, { span, work, log }: TaskContext) {
  if (customer.cards.length === 0) log("WARN", `no default card for customer ${customer.id}`, { customer });
  const card = customer.cards[0].id;
  await span(
    "POST /v1/charges",
    { http: { method: "POST", url: "https://cardpay.example.com/v1/charges", status_code: 201 } },
    () => work(90),
  );
  log("INFO", `captured ${amount} from ${card}`, { orderId, card });
  return `pay_${orderId}`;
}
