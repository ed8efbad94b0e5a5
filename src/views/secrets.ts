/**
 * What credentials look like wherever they stand. Every repetition is bounded or ends a match, and no start can lie inside a
 * run that has just been read in vain: time is linear in the text.
 */

/** Gives what is to be hidden its placeholder. */
export type Hide = (secret: string, kind?: "secret" | "card" | "email") => string;

/** What stands in for a secret; cleaning leaves it alone. */
export const PLACEHOLDER = /^\[(?:secret|card|email) \d+\]$/;

/** Prefixes their issuers chose so that leaked keys are found; Trigger.dev's first (auth.md 1). */
const KEYS = [
  "tr_(?:dev|stg|prod|preview|pat|oat|uat)_[\\w-]{8,512}",
  "gh[pousr]_[A-Za-z0-9]{20,255}",
  "github_pat_\\w{20,255}",
  "gl(?:pat|ptt|dt|rt)-[\\w-]{16,255}",
  "xox[abeprs]-[\\w-]{10,255}",
  "xapp-[\\w-]{10,255}",
  "[rs]k_(?:live|test)_[A-Za-z0-9]{8,255}",
  "whsec_[\\w+/=]{16,255}",
  "npm_[A-Za-z0-9]{30,255}",
  "pypi-[\\w-]{30,512}",
  "AIza[\\w-]{30,255}",
  "ya29\\.[\\w-]{20,512}",
  "GOCSPX-[\\w-]{20,255}",
  "SG\\.[\\w-]{16,255}\\.[\\w-]{16,255}",
  "(?:sk|xai|pplx|tvly|nvapi)-[\\w-]{20,512}",
  "(?:hf|gsk|r8|rnd|nfp|vck|phx)_[A-Za-z0-9]{20,255}",
  "(?:AKIA|ASIA)[A-Z0-9]{16}",
  "dop_v1_[a-f0-9]{40,255}",
  "shp(?:at|ca|pa|ss)_[a-fA-F0-9]{20,255}",
  "sq0[a-z]{3}-[\\w-]{20,255}",
  "lin_(?:api|oauth)_\\w{20,255}",
  "(?:secret|ntn)_[A-Za-z0-9]{32,255}",
  "sbp_[a-f0-9]{40,255}",
  "sb_secret_[\\w-]{20,255}",
  "pscale_(?:tkn|pw|oauth)_[\\w-]{20,255}",
  "dckr_pat_[\\w-]{20,255}",
  "glsa_\\w{30,255}",
  "figd_[\\w-]{20,255}",
  "ATATT3[\\w=-]{20,512}",
  "sntrys_[\\w+/=-]{20,512}",
  "re_[A-Za-z0-9]{6,12}_[A-Za-z0-9]{18,255}",
  "key-[a-f0-9]{32}",
  "SK[a-f0-9]{32}",
  "AGE-SECRET-KEY-1[A-Z0-9]{50,255}",
].join("|");

/** Mail and terminals break long words; what goes on behind a break is long again. */
const GOES_ON = "(?:[ \\t]{0,8}\\n[ \\t]{0,8}(?:[\\w-]{16,8192}(?![\\w-])|[\\w-]{4,15}(?=\\.[\\w-]))){0,64}";
const WEB_TOKEN = `(?<![\\w-])eyJ[\\w-]{6,8192}${GOES_ON}\\.[\\w-]{4,8192}${GOES_ON}(?:\\.[\\w-]{0,8192}${GOES_ON})?`;

/** A whole match is the secret, or its last group is when there are groups: what stands before it stays readable. */
export const SECRETS: readonly RegExp[] = [
  new RegExp(`(?<![A-Za-z0-9])(?:${KEYS})`, "g"),
  new RegExp(WEB_TOKEN, "g"),
  // The password in a connection string, also where the string is part of another URL.
  /((?::\/\/|%3A%2F%2F)[^\s:/@"'<>\\%]{0,200}(?::|%3A))([^\s/"'<>\\]{1,300})(?=@|%40)/gi,
  // A key in place of user and password.
  /(:\/\/)([\w-]{20,300})(?=@)/g,
  // What chat hooks are addressed by is all they ask for.
  /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)([\w/-]{16,300})/gi,
  /(discord(?:app)?\.com\/api\/webhooks\/\d{1,30}\/)([\w-]{16,300})/gi,
];

/** The same where only the look of what follows the word tells. */
const BEARER = /(\bbearer\s{1,4})([\w.~+/=-]{12,8192})/gi;
const BASIC = /(\bbasic\s{1,4})([A-Za-z0-9+/_-]{4,4096}={0,2})/gi;

const LINK = /https?(?::|%3A)(?:\\{0,8}\/|%2F){2}(?:[^\s"'<>\\]|\\{1,8}\/){1,8192}/gi;
/** Parameters that make a link a credential for what it leads to. */
const SIGNED =
  /(?:[?&;]|%3F|%26)(?:x-(?:amz|goog|oss|tos|cos)-(?:signature|credential|security-token)|q-signature|signature|sig|awsaccesskeyid|googleaccessid|key-pair-id)(?:=|%3D)/i;

export function hideSecrets(text: string, hide: Hide): string {
  let safe = text.replace(LINK, (link) => (SIGNED.test(link) ? hide(link) : link));
  safe = hidePrivateKeys(safe, hide);
  for (const pattern of SECRETS) {
    safe = safe.replace(pattern, (match: string, before: unknown, secret: unknown) =>
      typeof before === "string" && typeof secret === "string"
        ? before + unlessHidden(secret, hide)
        : hide(match),
    );
  }
  return safe
    .replace(BEARER, (match, before: string, secret: string) =>
      /[\d._~+/=]|[a-z][A-Z]/.test(secret) ? before + hide(secret) : match,
    )
    .replace(BASIC, (match, before: string, secret: string) =>
      isUserAndPassword(secret) ? before + hide(secret) : match,
    );
}

/** What holds a placeholder has been here before. */
const unlessHidden = (secret: string, hide: Hide): string =>
  /\[(?:secret|card|email) \d*\]?$/.test(secret) ? secret : hide(secret);

/** Base64 of `user:password`. */
function isUserAndPassword(text: string): boolean {
  const said = Buffer.from(text, "base64").toString("latin1");
  return /^[ -9;-~\u0080-\u00ff]*:[ -~\u0080-\u00ff]*$/.test(said);
}

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** The body of a key whose end was cut off, also as it reads inside of JSON. */
const BODY = /^(?:[A-Za-z0-9+/=:,.\s-]|\\{1,8}[nrt])*/;

function hidePrivateKeys(text: string, hide: Hide): string {
  if (!text.includes("-----BEGIN")) return text;
  const begins = [...text.matchAll(BEGIN)].map(({ index, 0: { length } }) => ({
    index,
    body: index + length,
  }));
  const ends = [...text.matchAll(END)].map(({ index, 0: { length } }) => index + length);
  let safe = "";
  let from = 0;
  let next = 0;
  begins.forEach(({ index, body }, at) => {
    if (index < from) return;
    while (next < ends.length && (ends[next] ?? 0) <= body) next += 1;
    const end = ends[next];
    const following = begins[at + 1]?.index ?? text.length;
    const to = end !== undefined && end <= following ? end : endOfBody(text, body, following);
    safe += text.slice(from, index) + hide(text.slice(index, to));
    from = to;
  });
  return safe + text.slice(from);
}

function endOfBody(text: string, from: number, most: number): number {
  const body = BODY.exec(text.slice(from, most))?.[0] ?? "";
  return from + body.trimEnd().length;
}
