/**
 * Takes out of a text what steers a terminal or hides from a reader. What stays is what a person would see; every pattern
 * reads each character a bounded number of times.
 */

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

/** Joiners and the two emoji selectors: letters need them, so they are looked at apart. */
const JOINER = "(?:\\u200c|\\u200d|\\ufe0e|\\ufe0f)";
/** Controls but tab and line feed; whatever a font draws as nothing, bidi controls and tags among it; lone surrogates. */
const HIDDEN = new RegExp(
  `(?!\\t|\\n|${JOINER})(?:\\p{Cc}|\\p{Default_Ignorable_Code_Point}|\\p{Surrogate}|[\\u2028\\u2029\\ufff9-\\ufffb])`,
  "u",
);
const EVERY_HIDDEN = new RegExp(HIDDEN, "gu");
const JOINERS = new RegExp(JOINER);
/** They join nothing behind ASCII (but in a keycap), and never stand in crowds: there they carry something. */
const BEHIND_ASCII = new RegExp(`(?<=[\\u0000-\\u007f])(?!\\ufe0f\\u20e3)${JOINER}+`, "g");
const CROWD = new RegExp(`${JOINER}{2,}`, "g");
const EMOJI_SEAM = "\ufe0f\u200d";

const PLAIN = /^[\t\n -~]*$/;

/** Line ends become line feeds; nothing else that cannot be seen stays. Doing it twice changes nothing. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  const seen = HIDDEN.test(text)
    ? text
        .replace(ANSI, "")
        .replace(/\r\n?|[\u2028\u2029]/g, "\n")
        .replace(EVERY_HIDDEN, "")
    : text;
  if (!JOINERS.test(seen)) return seen;
  return seen
    .replace(CROWD, (crowd) => (crowd.startsWith(EMOJI_SEAM) ? EMOJI_SEAM : crowd.slice(0, 1)))
    .replace(BEHIND_ASCII, "");
}
