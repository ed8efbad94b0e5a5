/**
 * What a text costs a model, without carrying a tokenizer (a real one is 75 MB). The o200k encoder never joins across
 * the seams between words, digit groups, punctuation and whitespace, so a text costs the sum of its characters' prices,
 * each depending on the neighbour before it; prices are set so that real text of any kind comes out at or above the truth.
 */
import { JOINS } from "./joins.ts";
import { AFTER_ACCENT, isAccented, scriptPrice } from "./scripts.ts";

/** Prices are hundredths of a token, and 97 of them buy one: the margin for what prices cannot see. */
const TOKEN = 100;
const BUYS = 97;
const PAIRS = Uint16Array.from(JOINS.join(""), (digit) => 3 + Number(digit) * 12);
/** Capitals join less readily than the same letters small. */
const CAPITAL = 20;
/** The vocabulary has long runs of one character: rules, bars, indentation. */
const REPEATED = 7;
const PUNCTUATION = 72;
/** A symbol before a word often joins it (`.name`, `_id`), as do a symbol before a line's end and the seams of JSON. */
const JOINING = 62;
const JSON_SEAM = 34;
/** A blank usually joins what follows it; before a symbol not always. */
const BLANK = 6;
/** Words are rarely longer, so what is longer is priced as an id: by its length, whatever its letters. */
const LONG_WORD = 11;
const LONG_PAIR = 54;

/** Upper estimate of the o200k tokens of `text`; linear, and at most about 1.5 times the truth on usual answers. */
export const tokens = (text: string): number =>
  text === "" ? 0 : Math.ceil(measure(text, Number.POSITIVE_INFINITY).price / BUYS);

/** Whether `text` costs at most `budget` tokens; reads no further than it takes to know. */
export const fits = (text: string, budget: number): boolean =>
  measure(text, budget * BUYS).end === text.length;

/** What the line that counts the cut characters may cost. */
const NOTE = 14;

/**
 * `text`, or as much of its beginning as costs at most `budget` together with the line that counts what was cut. Never
 * cuts a code point in two. Of a budget too small even for that line nothing is left.
 */
export function clipToTokens(text: string, budget: number): string {
  if (fits(text, budget)) return text;
  if (budget < NOTE) return "";
  const { end } = measure(text, (budget - NOTE) * BUYS);
  const cut = isLowSurrogate(text.charCodeAt(end)) ? end - 1 : end;
  const note = `… ${(text.length - cut).toLocaleString("en-US")} more characters`;
  return cut > 0 ? `${text.slice(0, cut)}\n${note}` : note;
}

/** Reads until the price would pass `limit`: `end` is the first character that cannot be paid for. */
function measure(text: string, limit: number): { price: number; end: number } {
  let price = 0;
  let previous = -1;
  let digits = 0;
  let letters = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    let step: number;
    if (isDigit(code)) {
      step = digits % 3 === 0 ? TOKEN : 0;
      digits += 1;
    } else {
      digits = 0;
      if (isLetter(code)) {
        step = letterPrice(previous, code);
        letters = step === TOKEN ? 1 : letters + 1;
        if (letters > LONG_WORD) step = Math.max(step, LONG_PAIR);
      } else if (code === 0x20) step = blankPrice(previous, text.charCodeAt(at + 1));
      else if (code < 0x80) step = symbolPrice(previous, code, text.charCodeAt(at + 1));
      else step = scriptPrice(previous, code);
    }
    if (price + step > limit) return { price, end: at };
    price += step;
    previous = code;
  }
  return { price, end: text.length };
}

function letterPrice(previous: number, code: number): number {
  if (!isLetter(previous)) return isAccented(previous) ? AFTER_ACCENT : TOKEN;
  const capital = isCapital(code);
  if (capital && !isCapital(previous)) return TOKEN;
  const pair = PAIRS[((previous | 0x20) - 0x61) * 26 + (code | 0x20) - 0x61] ?? TOKEN;
  return capital ? pair + CAPITAL : pair;
}

function blankPrice(previous: number, next: number): number {
  if (isLetter(next)) return BLANK;
  if (previous === 0x20) return isDigit(next) ? TOKEN : REPEATED;
  if (next === 0x20 || isDigit(next) || Number.isNaN(next) || next < 0x20) return TOKEN;
  return next < 0x80 ? BLANK : TOKEN;
}

/** ASCII that is neither letter nor digit nor blank. */
function symbolPrice(previous: number, code: number, next: number): number {
  if (code === previous || (code === LF && previous === CR)) return REPEATED;
  const afterSymbol = isSymbol(previous);
  if (code === LF) return afterSymbol ? JOINING : TOKEN;
  if (!isSymbol(code)) return TOKEN;
  if (!afterSymbol) return isLetter(next) && previous !== 0x20 ? JOINING : TOKEN;
  return (code === QUOTE && isSeam(previous)) || (previous === QUOTE && isSeam(code))
    ? JSON_SEAM
    : PUNCTUATION;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
/** `, : [ ] { }` */
const isSeam = (code: number): boolean =>
  code === 0x2c || code === 0x3a || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d;
const isSymbol = (code: number): boolean => code > 0x20 && code < 0x7f && !isDigit(code) && !isLetter(code);
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isCapital = (code: number): boolean => code >= 0x41 && code <= 0x5a;
const isLetter = (code: number): boolean => isCapital(code) || (code >= 0x61 && code <= 0x7a);
const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
