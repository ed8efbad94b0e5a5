/** Tool input arrives as JSON in pieces; this reads as much of it as has come. */

/**
 * The value of a JSON text that may break off anywhere: open strings, arrays and objects are closed where they stand,
 * a half-written key, number or word is left out. `undefined` when not even that gives a value.
 */
export function parsePartialJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseOrNothing(close(text));
  }
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Cuts `text` after the last place where a value was complete (or a string still open) and closes what is open there. */
function close(text: string): string {
  const open: string[] = [];
  /** Where the text could be cut, and the closers owed there. */
  let safe = { at: 0, closers: "" };
  let key = false;
  const owed = () => [...open].reverse().join("");
  const cutHere = (at: number, suffix = "") => {
    safe = { at, closers: suffix + owed() };
  };

  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (end === undefined) {
        if (!key) cutHere(withoutHalfEscape(text, at), '"');
        break;
      }
      at = end;
      if (!key) cutHere(at + 1);
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? "}" : "]");
      key = character === "{";
      cutHere(at + 1);
    } else if (character === "}" || character === "]") {
      open.pop();
      cutHere(at + 1);
      key = false;
    } else if (character === ":") {
      key = false;
    } else if (character === ",") {
      cutHere(at);
      key = open.at(-1) === "}";
    }
  }
  return text.slice(0, safe.at) + safe.closers;
}

/** Index of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at;
  }
  return undefined;
}

/** Where an unfinished string may be cut: before an escape that has only half arrived. */
function withoutHalfEscape(text: string, start: number): number {
  const half = /(?<!\\)(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)$/.exec(text.slice(start + 1));
  return text.length - (half?.[1]?.length ?? 0);
}
