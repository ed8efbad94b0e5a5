/**
 * Makes upstream text fit to be shown: nothing that steers a terminal or hides from a reader, and no credentials. Time is
 * linear in the text.
 */
import { Recent } from "../domain/recent.ts";
import { hideCards } from "./cards.ts";
import { hideNamed, hideValue, isSecretName, nameWithin } from "./named-secrets.ts";
import { type Hide, hideSecrets, PLACEHOLDER } from "./secrets.ts";
import { visible } from "./visible.ts";

export { nameWithin };

/** `name`: what the text is the value of; under `password` all of it is a secret, under `span_id` no digits are a card. */
export type Clean = (text: string, name?: string) => string;

export interface CleanOptions {
  redact: boolean;
  /** E-mail addresses too. Default false. */
  emails?: boolean;
}

/** One cleaner per answer: the same secret gets the same placeholder everywhere in it. Cleaning twice changes nothing. */
export function createCleaner({ redact, emails = false }: CleanOptions): Clean {
  if (!redact) return (text) => visible(text);
  const hide = placeholders();
  return (text, name) => {
    const seen = visible(text);
    if (name !== undefined && isSecretName(name)) return hideValue(seen, hide);
    const safe = HINT.test(seen) ? unescaped(seen, (plain) => redacted(plain, name, hide)) : seen;
    return emails && safe.includes("@") ? hideEmails(safe, hide) : safe;
  };
}

/** Secrets that are known again, in what a long follow shows. */
const MOST_PLACEHOLDERS = 10_000;

function placeholders(): Hide {
  const known = new Recent<string>(MOST_PLACEHOLDERS);
  const counts = { secret: 0, card: 0, email: 0 };
  return (secret, kind = "secret") => {
    if (PLACEHOLDER.test(secret)) return secret;
    let name = known.get(secret);
    if (name === undefined) {
      counts[kind] += 1;
      name = `[${kind} ${counts[kind]}]`;
      known.set(secret, name);
    }
    return name;
  };
}

/** Without any of these nothing has to be looked at closely. */
const HINT =
  /tr_|eyJ|:\\{0,8}\/|%3A|PRIVATE KEY|bearer|basic|authorization|cookie|pass|pwd|secret|key|token|jwt|credential|connection|gh[pousr]_|github_pat_|gl\w{2,3}-|xox|xapp-|whsec|npm_|pypi-|AIza|ya29|GOCSPX|SG\.|(?:sk|xai|pplx|tvly|nvapi)-|(?:hf|gsk|r8|rnd|nfp|vck|phx|[rs]k)_|AKIA|ASIA|dop_|shp|sq0|lin_|ntn_|sbp_|pscale|dckr|glsa|figd|ATATT3|sntrys|re_|SK[a-f0-9]|\d{4}[ -]?\d{4}|\d{4}[ -]\d{6}|hooks\.|webhooks/i;

function redacted(text: string, name: string | undefined, hide: Hide): string {
  const safe = hideNamed(hideSecrets(text, hide), hide);
  return name !== undefined && ID_NAME.test(name) ? safe : hideCards(safe, hide);
}

const ID_NAME = /(?:^|_)(?:ids?|focus|cursor|after|before)$|Id$/;

/** JSON may spell any character by its number; a text is only shown without them where they hid something. */
function unescaped(text: string, change: (plain: string) => string): string {
  if (!/\\u00[2-7]/i.test(text)) return change(text);
  const plain = text.replace(/\\{1,8}u00([2-7][0-9a-f])/gi, (spelled, code: string) => {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return /["\\\u007f]/.test(character) ? spelled : character;
  });
  const changed = change(plain);
  return changed === plain ? text : changed;
}

/** Exported for the test that holds all patterns to linear time. */
export const EMAIL =
  /(?<![\w.%+/@-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-]|\.\w)/g;

const hideEmails = (text: string, hide: Hide): string => text.replace(EMAIL, (match) => hide(match, "email"));

/** Deeper levels of a value are cut off: no reader goes there, and no stack does. */
const DEEPEST = 100;

/** Plain data with every string and every key cleaned, each string as the value of its name. */
export const cleanValue = (value: unknown, clean: Clean): unknown => cleanedValue(value, clean, undefined, 0);

function cleanedValue(value: unknown, clean: Clean, name: string | undefined, depth: number): unknown {
  if (typeof value === "string") return clean(value, name);
  if (typeof value === "number") return cleanNumber(value, clean, name);
  if (typeof value !== "object" || value === null) return value;
  if (depth === DEEPEST) return "…";
  if (Array.isArray(value)) return value.map((item) => cleanedValue(item, clean, name, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      clean(key),
      cleanedValue(item, clean, nameWithin(name, key), depth + 1),
    ]),
  );
}

/** A number under a secret's name is one (a PIN), but tokens are mostly counted. */
export function cleanNumber(value: number, clean: Clean, name: string | undefined): number | string {
  if (name === undefined || /tokens?$/i.test(name) || !isSecretName(name)) return value;
  const shown = clean(String(value), name);
  return shown === String(value) ? value : shown;
}
