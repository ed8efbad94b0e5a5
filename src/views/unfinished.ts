/** Whether a text ends in what may become a secret: streams keep such an end back until it is known. */
import { NAMES, SIGN } from "./named-secrets.ts";

const WORD = /[^\s"'`<>]{1,512}$/;
/** Beginnings of what is known by its looks (secrets.ts), links and addresses with a password included. */
const BEGINNING =
  /tr_|eyJ|:\/\/|%3A%2F|gh[pousr]_|github_|gl(?:pat|ptt|dt|rt)-|xox|xapp-|[rs]k_|whsec_|npm_|pypi-|AIza|ya29|GOCSPX|SG\.|(?:sk|xai|pplx|tvly|nvapi)-|(?:hf|gsk|r8|rnd|nfp|vck|phx|secret|ntn|re)_|AKIA|ASIA|dop_|shp(?:at|ca|pa|ss)_|sq0|lin_|sb[p_]|pscale_|dckr_|glsa_|figd_|ATATT|sntrys_|key-|SK[a-f0-9]|AGE-|hooks\.slack|webhooks\//;
/** What stands between a secret's name and its end. */
const OPEN_VALUE =
  /^(?:(?:bearer|basic|token|apikey)\s{1,4})?(?:\\{0,8}(["'`])(?:(?!\1)[^\n]){0,400}|[^\s"'`]{0,512}|\[[^\]]{0,400})$/i;
const SCHEME = /\b(?:bearer|basic)\s{1,4}[\w.~+/=-]{0,512}$/i;
const NAME = new RegExp(`${NAMES}(?:${SIGN}|\\s{0,4}$)`, "gi");
const DIGITS = /\d[\d -]{3,24}$/;
const LOOKED_AT = 640;

export function unfinished(text: string): boolean {
  if (/[\ud800-\udbff]$/.test(text)) return true;
  const begin = text.lastIndexOf("-----BEGIN");
  if (begin >= 0 && !/-----END [^-]{0,60}-----/.test(text.slice(begin))) return true;
  const end = text.slice(-LOOKED_AT);
  const word = WORD.exec(end)?.[0] ?? "";
  return BEGINNING.test(word) || SCHEME.test(end) || DIGITS.test(end) || isOpenValue(end);
}

function isOpenValue(end: string): boolean {
  for (const match of end.matchAll(NAME)) {
    if (OPEN_VALUE.test(end.slice(match.index + match[0].length))) return true;
  }
  return false;
}
