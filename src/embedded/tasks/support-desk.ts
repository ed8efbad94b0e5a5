/**
 * What the support agent knows and says: a small order book and fixed rules, so that the same words always get the
 * same answer. Nothing here streams or waits.
 */

export interface ToolCall {
  name: "lookupOrder" | "cancelOrder" | "refundOrder";
  input: { id: number };
}

/** What a message calls for. `thought` is shown as reasoning. */
export type Plan =
  | { kind: "say"; thought: string; text: string }
  /** Use the tool, then tell what came of it. */
  | { kind: "tool"; thought: string; call: ToolCall }
  /** Ask before using the tool. */
  | { kind: "approval"; thought: string; call: ToolCall; text: string }
  | { kind: "crash"; message: string };

interface Order {
  id: number;
  status: "shipped" | "packing" | "delivered";
  item: string;
  shippedOn?: string;
  arrivesOn?: string;
  deliveredOn?: string;
}

const ORDERS: Order[] = [
  { id: 4821, status: "shipped", item: "walking boots", shippedOn: "15 March", arrivesOn: "19 March" },
  { id: 4822, status: "packing", item: "rain jacket" },
  { id: 4790, status: "delivered", item: "head torch", deliveredOn: "11 March" },
];

/** The order the text speaks of: a number of four digits or more, optionally after a `#`. */
export const orderNumber = (text: string): number | undefined => {
  const digits = /(?:^|[^\d.])#?(\d{4,9})(?!\d)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** `earlier`: the user's older messages, newest last; "cancel it" means the order they spoke of. */
export function planReply(text: string, earlier: string[]): Plan {
  if (/\bcrash\b/i.test(text))
    return { kind: "crash", message: "The support desk crashed, as it was asked to." };
  const id = orderNumber(text) ?? earlier.map(orderNumber).findLast((known) => known !== undefined);
  const wants = (pattern: RegExp) => pattern.test(text) && id !== undefined;
  if (wants(/\b(refund|money back)\b/i)) {
    return {
      kind: "approval",
      thought: "A refund moves money, so somebody has to agree first.",
      call: { name: "refundOrder", input: { id: id ?? 0 } },
      text: `I can refund order ${id}. Shall I go ahead?`,
    };
  }
  if (wants(/\bcancel\b/i)) {
    return {
      kind: "tool",
      thought: `The customer wants order ${id} cancelled; the carrier has to stop it.`,
      call: { name: "cancelOrder", input: { id: id ?? 0 } },
    };
  }
  const asked = orderNumber(text);
  if (asked !== undefined || wants(/\b(where|when|status|track|order|parcel|arrive)\b/i)) {
    return {
      kind: "tool",
      thought: "An order number: its state is in the order book.",
      call: { name: "lookupOrder", input: { id: asked ?? id ?? 0 } },
    };
  }
  return { kind: "say", thought: "No order is named; ask what this is about.", text: smallTalk(text) };
}

function smallTalk(text: string): string {
  if (/\b(thanks|thank you|cheers)\b/i.test(text))
    return "You are welcome. Write again whenever something is off.";
  if (/\b(refund|cancel|order|parcel|delivery)\b/i.test(text)) {
    return "Happy to help with that. Which order is it? The number is on your receipt, for example 4821.";
  }
  return "Hello, this is the support desk. Tell me your order number and I will look it up, cancel it or refund it.";
}

/** What a tool answers. Throws what the tool failed with. */
export function useTool({ name, input: { id } }: ToolCall): Record<string, unknown> {
  switch (name) {
    case "cancelOrder":
      throw new Error("carrier API 503");
    case "refundOrder":
      return { id, refunded: true, reference: `R-${id}` };
    case "lookupOrder":
      return { ...(ORDERS.find((order) => order.id === id) ?? { id, status: "unknown" }) };
  }
}

/** How a tool's answer is told. */
export function tellResult({ name, input: { id } }: ToolCall, output: Record<string, unknown>): string {
  if (name === "refundOrder") return `Order ${id} is refunded. Your reference is ${output.reference}.`;
  switch (output.status) {
    case "shipped":
      return `It shipped on ${output.shippedOn} and arrives on the ${dayOf(output.arrivesOn)}.`;
    case "packing":
      return `Order ${id} is being packed and leaves within a day.`;
    case "delivered":
      return `Order ${id} was delivered on ${output.deliveredOn}.`;
    default:
      return `I cannot find order ${id}. Could you check the number on your receipt?`;
  }
}

export const tellFailure = ({ name, input: { id } }: ToolCall): string =>
  name === "cancelOrder"
    ? "I could not cancel it just now."
    : `I could not reach the records of order ${id}.`;

export const tellDenial = ({ input: { id } }: ToolCall): string =>
  `All right, order ${id} is not refunded. Anything else?`;

/** `19 March` to `19th`. */
function dayOf(date: unknown): string {
  const day = Number.parseInt(String(date), 10);
  const ending = day % 100 >= 11 && day % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th");
  return `${day}${ending}`;
}
