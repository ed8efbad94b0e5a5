/**
 * Text that comes in pieces. The engine puts them together only when somebody looks at a character; until then it keeps each
 * of them, and what that was cut from. To look now and then costs a copy and saves memory and most of the collector's work.
 */
const OFTEN = 256;
/** A text of this length is put together as often as it has grown by this much: the copy is of all of it. */
const LONG = 65_536;

export function grown(text: string, piece: string): string {
  const whole = text + piece;
  const due = whole.length % (whole.length < LONG ? OFTEN : LONG) < piece.length;
  return due ? together(whole) : whole;
}

/** The same text, in one piece. */
export const together = (text: string): string => (Number.isNaN(text.charCodeAt(0)) ? "" : text);
