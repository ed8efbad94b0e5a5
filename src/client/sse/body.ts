/** What the body of a record says, contract channels.md 3.1: JSON, `undefined` where it is none. */

/**
 * A piece of streamed text as its writer spells it, without an escape in it. Most records of a turn are that, and to
 * recognise one takes an eighth of the time of parsing it. What differs in a single character is parsed.
 */
const PIECE =
  /^\{"data":\{"type":"(text|reasoning)-delta","id":"([ !#-[\]-\uffff]*)","delta":"([ !#-[\]-\uffff]*)"\},"id":"([ !#-[\]-\uffff]*)"\}$/;

/** What is cut from a body keeps all of it in memory. */
const SHORT = 256;

export function readBody(text: string): unknown {
  const piece = text.length <= SHORT ? PIECE.exec(text) : null;
  if (!piece) return parse(text);
  const [, kind, id, delta, part] = piece;
  return { data: { type: kind === "text" ? "text-delta" : "reasoning-delta", id, delta }, id: part };
}

/** The value, or `undefined` for what is no JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
