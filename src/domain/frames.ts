/** Stack frames of V8: one line taken apart, and which frames are the reader's own code. */

export interface Frame {
  /** Function as the stack names it; empty for a bare location. */
  name: string;
  /** Path or URL without `file://`. */
  file: string;
  line?: number;
}

const FRAME = /^\s*at (?:async )?(.+)$/;
const POSITION = /:(\d{1,9})(?::\d{1,9})?$/;
/** `Promise.all (index 0)`, `Array.map (<anonymous>)`, `native`: the engine itself. */
const ENGINE = /^(?:native|index \d{1,9}|(?:evalmachine\.)?<anonymous>)$|^(?:node:|wasm:|internal\/)/;
const LIBRARY = /(?:^|[\\/])(?:node_modules|\.trigger)[\\/]/;
/** Where images keep a project. */
const IMAGE_ROOT = /^[\\/](?:usr[\\/]src[\\/])?app[\\/]/;
const PROJECT_ROOT = /^.*?[\\/](?=(?:src|app|trigger|packages)[\\/])/;
/** A stack longer than this has said what it has to say; lines beyond are no frames. */
const MOST_LINES = 400;
const LONGEST_LINE = 500;

/** `    at capture (file:///app/src/x.ts:42:17)` taken apart; `undefined` for a line of the message. */
export function parseFrame(line: string): Frame | undefined {
  const text = FRAME.exec(line.slice(0, LONGEST_LINE).trimEnd())?.[1];
  if (text === undefined) return undefined;
  const open = text.endsWith(")") ? text.lastIndexOf(" (") : -1;
  const place = open >= 0 ? text.slice(open + 2, -1) : text;
  const position = POSITION.exec(place);
  if (!position && open < 0 && !ENGINE.test(place)) return undefined;
  return {
    name: open >= 0 ? functionName(text.slice(0, open)) : "",
    file: place.slice(0, position?.index ?? place.length).replace(/^file:\/\//, ""),
    ...(position && { line: Number(position[1]) }),
  };
}

/** `Object.<anonymous>` names nothing. */
const functionName = (name: string): string =>
  name.replace(/(?:^|\.)<anonymous>/, "").replace(/^Object$/, "");

/** In code that is neither a library's nor the engine's. */
export const isOwn = ({ file }: Frame): boolean => !ENGINE.test(file) && !LIBRARY.test(file);

/** `src/trigger/charge.ts`: from the project's own folders on. */
export const shortFile = (file: string): string =>
  file.replace(IMAGE_ROOT.test(file) ? IMAGE_ROOT : PROJECT_ROOT, "");

/** `src/trigger/charge.ts:42 capturePayment`. */
export const frameText = ({ name, file, line }: Frame): string =>
  `${shortFile(file)}${line === undefined ? "" : `:${line}`}${name === "" ? "" : ` ${name}`}`;

/** Where a failure left the reader's own code. */
export function firstOwnFrame(stack: string): Frame | undefined {
  for (const line of stack.split("\n", MOST_LINES)) {
    const frame = parseFrame(line);
    if (frame && isOwn(frame)) return frame;
  }
  return undefined;
}
