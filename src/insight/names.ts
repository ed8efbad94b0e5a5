/** What a span is called apart from what it was called with, so that repetitions are recognised. */

/** Enough to tell names apart; the rest of a longer message is left out of the comparison. */
const COMPARED = 256;

export const QUOTED = /"[^"]*"|`[^`]*`|(?<!\w)'[^']*'(?!\w)/g;
const EMAIL = /\b[\w.+-]+@[\w-]+\.[\w.-]*\w/g;
const TIME = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?/g;
/** A word with a digit in it. */
const WORD = /(?<![\w-])[\w-]*\d[\w-]*/g;
const ONLY_DIGITS = /^\d+$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** An article number: capitals and digits in at least two pieces. */
const ARTICLE = /^[A-Z][A-Z\d]*(?:[-_][A-Z\d]+)+$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const PIECE = /[A-Za-z\d]+/g;
const HEX = /^[\da-f]{8,}$/i;
const NUMBERS = /\d+/g;
const DECIMALS = /\{n\}(?:[.,]\{n\})+/g;

/** Letters and digits mixed for longer than this are a key somebody generated. */
const LONG_PIECE = 12;

/**
 * `GET /stock/SKU-0042 took 31ms` is `GET /stock/{id} took {n}ms`. No digit is left. Every span of a trace passes
 * through here, so what a message cannot contain is not looked for.
 */
export function normalizeName(message: string): string {
  let name = message.length > COMPARED ? message.slice(0, COMPARED) : message;
  if (/["'`]/.test(name)) name = name.replace(QUOTED, "{…}");
  if (name.includes("@")) name = name.replace(EMAIL, "{email}");
  if (!/\d/.test(name)) return name;
  if (name.includes(":")) name = name.replace(TIME, "{time}");
  name = name.replace(WORD, nameOfWord);
  return name.includes("},{") || name.includes("}.{") ? name.replace(DECIMALS, "{n}") : name;
}

function nameOfWord(word: string): string {
  if (ONLY_DIGITS.test(word)) return "{n}";
  if (ARTICLE.test(word)) return "{id}";
  if (word.length === 36 && UUID.test(word)) return "{uuid}";
  if (word.length === 10 && DATE.test(word)) return "{time}";
  return word.replace(PIECE, nameOfPiece);
}

/** `run_cm9x2k4p30001ab12cd34ef56` keeps its `run`, `item12` its `item`. */
function nameOfPiece(piece: string): string {
  if (!/\d/.test(piece)) return piece;
  if (/\D/.test(piece) && (piece.length >= LONG_PIECE || HEX.test(piece))) return "{id}";
  return piece.replace(NUMBERS, "{n}");
}
