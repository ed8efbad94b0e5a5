/** What characters outside ASCII cost in the o200k vocabulary, in hundredths of a token, for tokens.ts. */

/** Symbols with a token of their own. */
const SINGLE = new Set(
  Array.from("·×°±§©®«»…→←↑↓–—“”‘’•●○■□▶≤≥│├─━║═█░▒▓✓✔€£µ、。，！？：；「」", (char) => char.charCodeAt(0)),
);

/** Accented Latin letters go on with the word they stand in. */
export const isAccented = (code: number): boolean =>
  (code >= 0xc0 && code <= 0x17f) || (code >= 0x1e00 && code <= 0x1eff);
export const AFTER_ACCENT = 50;

/** Bars and rules have tokens for runs; other symbols hardly. */
const BARS = new Set(Array.from("█─═━", (char) => char.charCodeAt(0)));

/** Last code unit of a stretch and the price of a character in it; for alphabets that of running text. */
const STRETCHES: readonly (readonly [last: number, price: number])[] = [
  [0x9f, 200],
  [0x17f, 80],
  [0x36f, 200],
  [0x6ff, 55],
  [0x8ff, 250],
  [0xe7f, 65],
  [0x1dff, 290],
  [0x1eff, 100],
  [0x1fff, 290],
  [0x25ff, 200],
  [0x27ff, 230],
  [0x2fff, 300],
  [0x30ff, 75],
  [0x4dff, 300],
  [0x9fff, 120],
  [0xabff, 300],
  [0xd7af, 105],
];

/** A surrogate pair is priced at its first half: emoji share their first bytes, rarer planes have a token per byte. */
export function scriptPrice(previous: number, code: number): number {
  if (code >= 0xdc00 && code <= 0xdfff) return previous >= 0xd800 && previous <= 0xdbff ? 0 : 100;
  if (code >= 0xd800 && code <= 0xdbff) return code >= 0xd83c && code <= 0xd83e ? 270 : 400;
  if (SINGLE.has(code)) return previous === code && BARS.has(code) ? 30 : 100;
  for (const [last, price] of STRETCHES) if (code <= last) return price;
  return code >= 0xff00 && code <= 0xffef ? 200 : 300;
}
