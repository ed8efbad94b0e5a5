/**
 * Makes upstream text fit to be shown: nothing that steers a terminal or hides from a reader, and no credentials. Every
 * pattern starts at a literal or a boundary and never backtracks over what it has read, so time is linear in the text.
 */

export type Clean = (text: string) => string;

/** One cleaner per answer: the same secret gets the same placeholder everywhere in it. Cleaning twice changes nothing. */
export function createCleaner(options: { redact: boolean }): Clean {
  if (!options.redact) return strip;
  const known = new Map<string, string>();
  const placeholder = (secret: string): string => {
    if (/^\[secret \d+\]$/.test(secret)) return secret;
    let name = known.get(secret);
    if (name === undefined) {
      name = `[secret ${known.size + 1}]`;
      known.set(secret, name);
    }
    return name;
  };
  return (text) => {
    const visible = strip(text);
    return HINT.test(visible) ? redact(visible, placeholder) : visible;
  };
}

const ESC = "\\u001b";
const CSI = "\\u009b";
const ENDS_OSC = `\\u0007|${ESC}\\\\|\\u009c`;
/** Escape sequences: CSI, OSC (with or without its end), other short ones. */
const ANSI = new RegExp(
  [
    `(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]?`,
    `${ESC}\\][^\\u0007\\u001b\\u009c]*(?:${ENDS_OSC})?`,
    `${ESC}[ -/]*[0-~]?`,
  ].join("|"),
  "g",
);
/** Controls but tab and line feed, bidi controls, zero-width characters but the joiners, tags, lone surrogates. */
const INVISIBLE =
  /(?![\t\n])\p{Cc}|[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/u;
const EVERY_INVISIBLE = new RegExp(INVISIBLE, "gu");

/** Line ends become line feeds; nothing else that cannot be seen stays. */
function strip(text: string): string {
  if (!INVISIBLE.test(text)) return text;
  return text
    .replace(ANSI, "")
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(EVERY_INVISIBLE, "");
}

/** A whole match is the secret, or its last group is when there are groups: what stands before it stays readable. */
const SECRETS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
  // Trigger.dev keys of every kind, auth.md 1.
  /(?<![A-Za-z0-9])tr_(?:dev|stg|prod|preview|pat|oat|uat)_[\w-]{8,}/g,
  // JSON web tokens.
  /(?<![\w-])eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?/g,
  // GitHub, GitLab, Slack, Stripe, npm, Google, SendGrid, OpenAI-style, AWS.
  /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|(?:[sr]k|rk)_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[\w+/=]{16,}|npm_[A-Za-z0-9]{30,}|AIza[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|sk-[\w-]{20,}|(?:AKIA|ASIA)[A-Z0-9]{16})/g,
  // The password in a connection string.
  /(:\/\/[^\s:/@"'<>\\]{0,200}:)([^\s/"'<>\\]{1,300})(?=@)/g,
  // Authorization headers, in prose and in JSON.
  /(\bbearer[ \t]{1,4})([\w.~+/=-]{12,})/gi,
  /(\bauthorization\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?(?:basic|token|apikey)?[ \t]{0,4})([\w.~+/=-]{12,})/gi,
  // Values named as what they are.
  /((?:passw(?:or)?d|secret|api[_-]?key|access[_-]?key|(?:access|auth|refresh|session)[_-]?token)\\?["']?[ \t]{0,3}[:=][ \t]{0,3}\\?["'])([^\s"'\\]{6,})(?=\\?["'])/gi,
  /((?:passw(?:or)?d|secret|api[_-]?key|access[_-]?key|(?:access|auth|refresh)[_-]?token)=)([^\s"'&;,\\]{6,})/gi,
];

const HINT =
  /tr_|eyJ|:\/\/|PRIVATE KEY|bearer|authorization|passw|secret|api[_-]?key|access[_-]?key|token|gh[pousr]_|github_pat_|glpat-|xox|[srw][kh][_s]|npm_|AIza|SG\.|sk-|AKIA|ASIA/i;

const SIGNED =
  /[?&](?:x-amz-signature|x-amz-security-token|x-goog-signature|signature|sig|token|x-oss-signature)=/i;

function redact(text: string, placeholder: (secret: string) => string): string {
  let safe = text.replace(/https?:\/\/[^\s"'<>\\]+/gi, (url) => (SIGNED.test(url) ? placeholder(url) : url));
  for (const pattern of SECRETS) {
    safe = safe.replace(pattern, (match: string, before: unknown, secret: unknown) =>
      typeof before === "string" && typeof secret === "string"
        ? before + placeholder(secret)
        : placeholder(match),
    );
  }
  return safe;
}
