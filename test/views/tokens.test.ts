import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clipToTokens, fits, tokens } from "../../src/views/tokens.ts";
import { o200k } from "../support/o200k.ts";

const repeated = (text: string, times = 12): string => text.repeat(times);

const REAL: Record<string, string> = {
  prose: repeated(
    "The payment was declined because the card on file has expired; ask the customer for another one. ",
  ),
  code: repeated(
    "export const capturePayment = async (order: Order): Promise<Receipt> => {\n  return gateway.capture(order.id);\n};\n",
  ),
  stack: repeated(
    "TypeError: Cannot read properties of undefined (reading 'id')\n    at capturePayment (file:///app/src/trigger/charge.ts:42:17)\n",
  ),
  json: JSON.stringify(
    Array.from({ length: 40 }, (_, at) => ({
      id: at,
      sku: `SKU-${at * 7919}`,
      price: at * 1.37,
      ok: at % 2 === 0,
    })),
  ),
  table: repeated(
    "run_cm9x2k4p30001ab12cd34ef56  process-order  FAILED  4m  0.2s  4.21s  20261120.3  order:991\n",
  ),
  tree: repeated(
    "224ms   41.3s     ├ GET /stock/{sku} ×1,199 in sequence  p50 31ms p95 58ms max 1.9s (#e01d)\n41.5s   290ms     └ write snapshot #a0a7\n",
  ),
  sql: repeated(
    "SELECT u.id, u.email FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.created_at > '2026-01-01';\n",
  ),
  times: repeated("2026-08-20T10:00:02.000Z 10:00:04.020 WARN\n"),
};

const FOREIGN: Record<string, string> = {
  chinese: repeated("今天天气很好，我们去公园散步吧。订单已经发货，预计三天后到达。"),
  japanese: repeated("ご注文の商品は三月十五日に発送されました。キャンセルできません。"),
  korean: repeated("주문하신 상품은 내일 도착할 예정입니다. 취소할 수 없습니다."),
  russian: repeated("Ваш заказ отправлен пятнадцатого марта и прибудет через три дня. "),
  arabic: repeated("تم شحن طلبك في الخامس عشر من مارس وسيصل قريبا. "),
  thai: repeated("คำสั่งซื้อของคุณถูกจัดส่งแล้วและจะมาถึงเร็วๆ นี้ "),
  hindi: repeated("आपका ऑर्डर भेज दिया गया है और जल्द ही पहुंचेगा। "),
  german: repeated("Die Größe der Lieferung überraschte die Käuferin natürlich außerordentlich. "),
  vietnamese: repeated("Đơn hàng của bạn đã được gửi đi và sẽ đến nơi trong ba ngày tới. "),
  emoji: repeated("😀🎉👩‍👩‍👧‍👦🏳️‍🌈✅❌🚀"),
  bars: repeated("████████████████ ░░░░░░ ▓▓▓ ─────── ═════ │ ├ └ ··· … → ✗ ✓ "),
  braille: Array.from({ length: 200 }, (_, at) => String.fromCodePoint(0x2800 + at)).join(""),
  controls: Array.from({ length: 200 }, (_, at) => String.fromCodePoint(at % 32)).join(""),
};

const ALPHABETS: Record<string, string> = {
  hex: "0123456789abcdef",
  cuid: "0123456789abcdefghijklmnopqrstuvwxyz",
  base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
  ulid: "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
  lower: "abcdefghijklmnopqrstuvwxyz",
  printable: Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join(""),
};

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

describe("tokens", () => {
  it.each(Object.entries(REAL))("prices %s from above and not far from the truth", (name, text) => {
    const truth = o200k(text);
    expect(tokens(text)).toBeGreaterThanOrEqual(truth);
    expect(tokens(text)).toBeLessThanOrEqual(truth * (name === "code" ? 1.7 : 1.55));
  });

  it.each(Object.entries(FOREIGN))("prices %s from above", (_, text) => {
    expect(tokens(text)).toBeGreaterThanOrEqual(o200k(text));
  });

  it.each(Object.entries(ALPHABETS))("prices long random %s from above", (_, alphabet) => {
    const text = fc.string({
      unit: fc.constantFrom(...alphabet),
      minLength: 600,
      maxLength: 1_200,
      size: "max",
    });
    fc.assert(
      fc.property(text, (value) => tokens(value) >= o200k(value)),
      { seed: 7, numRuns: 100 },
    );
  });

  it("prices ids by the dozen from above", () => {
    const ids = fc.array(fc.uuid(), { minLength: 12, maxLength: 30 });
    fc.assert(
      fc.property(ids, (many) => tokens(many.join("\n")) >= o200k(many.join("\n"))),
      { seed: 7, numRuns: 100 },
    );
  });

  it("prices real JSON of any shape from above, give or take two tokens", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (json) => tokens(json) + 2 >= o200k(json)),
      { seed: 7, numRuns: 300 },
    );
  });

  it("asks nothing for nothing", () => {
    expect(tokens("")).toBe(0);
  });
});

describe("clipToTokens", () => {
  const anyText = fc.string({
    unit: fc.oneof(
      fc.constantFrom(..."ab 1\n😀é漢{}█"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    ),
    maxLength: 400,
    size: "max",
  });

  it("never costs more than its budget, and never cuts a character in two", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 60 }), (text, budget) => {
        const clipped = clipToTokens(text, budget);
        expect(tokens(clipped)).toBeLessThanOrEqual(budget);
        expect(isWellFormed(text) && !isWellFormed(clipped)).toBe(false);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it("keeps what fits as it is and counts what it cuts", () => {
    expect(clipToTokens("all of it", 50)).toBe("all of it");
    const text = "word ".repeat(1_000);
    const [, kept = "", cut = ""] =
      /^([\s\S]*)\n… ([\d,]+) more characters$/.exec(clipToTokens(text, 100)) ?? [];
    expect(text.startsWith(kept)).toBe(true);
    expect(kept.length + Number(cut.replace(",", ""))).toBe(text.length);
  });

  it("reads no more of a long text than it can pay for", () => {
    const text = "x".repeat(50_000_000);
    expect(fits(text, 1_000)).toBe(false);
    expect(clipToTokens(text, 1_000).length).toBeLessThan(5_000);
  });
});
