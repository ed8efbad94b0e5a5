/**
 * Values that are secret because of what they are called: `"password":"…"`, `API_KEY=…`, `Set-Cookie: …`, whether as a member
 * of a value or in a text. Names of ids, counts and cursors (`inputTokens`, `nextPageToken`, `idempotencyKey`) are none.
 */
import { type Hide, PLACEHOLDER } from "./secrets.ts";

const PAGING = "(?:page|next|continuation|cancel(?:lation)?|sync|resume|delta|cursor)";

/** A member's name without its punctuation. */
const NAME = new RegExp(
  [
    "^(?:pass|pwd|pw|pin|cvv|cvc|otp|auth)$",
    "(?:pass(?:word|wd|phrase|code)|secret|secret(?:access)?key|(?:api|access|private|encryption|signing|master|auth|account|shared|sharedaccess)key|authorization|cookie|credential|connectionstring)s?(?:value|hash|text)?$",
    `(?<!${PAGING})(?:token|jwt|bearer)(?:value|hash)?$`,
  ].join("|"),
);

const LONGEST_NAME = 64;

/** Whether what stands under this name is nobody's business. */
export const isSecretName = (name: string): boolean =>
  NAME.test(
    name
      .slice(-LONGEST_NAME)
      .replace(/[^A-Za-z0-9]/g, "")
      .toLowerCase(),
  );

/** Members that hold the thing itself, where the thing is told together with what is known of it. */
const ITSELF = /^(?:value|raw|plain|data|text|current|previous|secret|key|hash)$/i;

/** The name that decides for a member `key` of something called `outer`. */
export const nameWithin = (outer: string | undefined, key: string): string =>
  outer !== undefined && ITSELF.test(key) && isSecretName(outer) ? outer : key;

/** What is written where a secret would be, but is none: types, states, templates, marks, and ids of Trigger.dev's. */
const HARMLESS =
  /^(?:|string|number|boolean|integer|object|array|null|undefined|true|false|none|nil|required|optional|redacted|hidden|masked|missing|invalid|expired|revoked|unknown|empty|unset|set|\.{2,}|…|[*x•·-]+|\[?redacted\]?|<[\w -]*>|[$%{?:@][\w{}()$:?. -]*|process\.env\.\w+|(?:run|session|waitpoint|batch|schedule|sched|deployment|worker|queue|error|attempt|proj|env|org)_\w+)$/i;

/** Said before the secret proper. */
const SCHEME = /^(?:bearer|basic|token|apikey|digest|negotiate|bot)\s{1,4}(?=\S)/i;

/** A value known to be secret by its name: all of it but an authorization scheme. */
export function hideValue(value: string, hide: Hide): string {
  const trimmed = value.trim();
  if (HARMLESS.test(trimmed) || PLACEHOLDER.test(trimmed)) return value;
  const scheme = SCHEME.exec(trimmed)?.[0] ?? "";
  const secret = trimmed.slice(scheme.length);
  return PLACEHOLDER.test(secret) ? value : scheme + hide(secret);
}

/** A secret's name in a text, with the quote behind it. Its group: the header of cookies. */
export const NAMES = [
  "(?:(?<cookie>(?:set-)?cookie)",
  "|pass(?:word|wd|phrase|code)",
  "|(?<![a-z])(?:pass(?=\\\\{0,8}[\"'])|pwd)",
  "|secret(?:[ _-]?(?:access[ _-]?)?key)?",
  "|(?:api|access|private|encryption|signing|master|auth|account|shared(?:[_-]?access)?)[ _-]?key",
  "|authorization|credential|connection[_-]?string",
  `|(?<!${PAGING}[_-]?)(?:token|jwt))`,
  "s?(?:[_-]?(?:value|hash|text))?",
  "\\\\{0,8}[\"'`]?",
].join("");

/** What joins a name and its value. */
export const SIGN = "\\s{0,4}(?:=>|:=|[:=]|%3[AD])\\s{0,4}";

export const NAMED = new RegExp(`${NAMES}(?<sign>${SIGN})`, "gi");

const OPENING = /(\\{0,8})(["'`])/y;
const BARE = /[^\s"'`<>()[\]{},;&|\\]{1,4096}/y;
const SCHEME_HERE = /(?:bearer|basic|token|apikey|digest|negotiate|bot)\s{1,4}/iy;
const COOKIES = /[^\r\n"'`\\]{1,8192}/y;
const SPACE = /\s{0,64}/y;
const LONGEST_QUOTED = 8_192;

/** In a text: only what names itself so. */
export function hideNamed(text: string, hide: Hide): string {
  let safe = "";
  let from = 0;
  const put = (start: number, end: number, value: string): void => {
    safe += text.slice(from, start) + value;
    from = end;
  };
  for (const match of text.matchAll(NAMED)) {
    const at = match.index + match[0].length;
    if (at < from) continue;
    if (text[at] === "[") hideList(text, at + 1, put, hide);
    else if (!hideQuoted(text, at, put, hide)) hideBare(text, at, match.groups ?? {}, put, hide);
  }
  return safe + text.slice(from);
}

type Put = (start: number, end: number, value: string) => void;

const take = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

/** Answers where the text goes on behind it, 0 when nothing quoted stands here. */
function hideQuoted(text: string, at: number, put: Put, hide: Hide): number {
  const opening = take(OPENING, text, at);
  if (!opening) return 0;
  const start = at + opening[0].length;
  const end = endOfQuoted(text, start, opening[1] ?? "", opening[2] ?? "");
  put(start, end, hideValue(text.slice(start, end), hide));
  return end + opening[0].length;
}

/** Escaped quotes belong to a value unless the opening one was escaped as well; the line's end ends it anyway. */
function endOfQuoted(text: string, start: number, slashes: string, quote: string): number {
  const most = Math.min(text.length, start + LONGEST_QUOTED);
  for (let at = start; at < most; at += 1) {
    if (text[at] === "\n") return at;
    if (slashes !== "") {
      if (text.startsWith(slashes + quote, at)) return at;
    } else if (text[at] === "\\") at += 1;
    else if (text[at] === quote) return at;
  }
  return most;
}

function hideList(text: string, at: number, put: Put, hide: Hide): void {
  for (let start = afterSpace(text, at); ; ) {
    const end = hideQuoted(text, start, put, hide);
    if (end === 0) return;
    const comma = afterSpace(text, end);
    if (text[comma] !== ",") return;
    start = afterSpace(text, comma + 1);
  }
}

const afterSpace = (text: string, at: number): number => at + (take(SPACE, text, at)?.[0].length ?? 0);

/** Without quotes a word may be prose: unless `=` ties it to its name, it has to look like a secret. */
function hideBare(
  text: string,
  at: number,
  { cookie, sign = "" }: Record<string, string | undefined>,
  put: Put,
  hide: Hide,
): void {
  if (cookie !== undefined) {
    const cookies = take(COOKIES, text, at)?.[0].trimEnd() ?? "";
    if (/^[\w!#$%&'*+.^|~-]+=/.test(cookies)) put(at, at + cookies.length, hideValue(cookies, hide));
    return;
  }
  const scheme = take(SCHEME_HERE, text, at)?.[0] ?? "";
  const start = at + scheme.length;
  const value = take(BARE, text, start)?.[0] ?? "";
  const tied = scheme !== "" || /^(?:=|%3D)$/i.test(sign);
  const secret = tied ? value.length >= 4 && !/^[=>/]/.test(value) : looksSecret(value);
  if (secret) put(start, start + value.length, hideValue(value, hide));
}

const looksSecret = (value: string): boolean =>
  value.length >= 6 && !/^[=>/]/.test(value) && /\d|[a-z][A-Z]|[!@#$%^&*+~]/.test(value);
