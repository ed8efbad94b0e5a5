/** Payment card numbers: an issuer's range, its length, and the check digit have to agree, so that no id or time is taken for one. */
import type { Hide } from "./secrets.ts";

/** In one piece or in the groups cards print; never part of an id, a path, a fraction, or the value of something called an id. */
export const CARD =
  /(?<![\w.#/-]|(?:id|focus|cursor|after)\\{0,8}["']?[:=] ?\\{0,8}["'])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d\d([ -])\d{6}\2\d{5}|3[068]\d\d([ -])\d{6}\3\d{4})(?![\w/-]|\.\d)/g;

/** Leading digits and lengths: Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay. */
const ISSUED =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|62\d{14,17})$/;

export const hideCards = (text: string, hide: Hide): string =>
  text.replace(CARD, (match) => {
    const digits = match.replace(/[ -]/g, "");
    return ISSUED.test(digits) && isChecked(digits) ? hide(match, "card") : match;
  });

/** Luhn's sum. */
function isChecked(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const weighed = at % 2 === 0 ? digit : digit * 2;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 === 0;
}
