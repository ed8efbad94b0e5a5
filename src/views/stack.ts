/** Stack traces the way they are read: the first own frames, and library frames only as a number. */

export interface StackView {
  /** First frame in code that is not a library, as `src/trigger/charge.ts:42 capturePayment`. */
  own?: string;
  /** Message and frames, library frames folded in place into a count. */
  lines: string[];
  libraryFrames: number;
}

/** A line of this shape is a frame; every other line belongs to the message. */
const FRAME = /^\s*at (?:async )?(.+)$/;
const POSITION = /:(\d{1,9})(?::\d{1,9})?$/;
const LIBRARY = /(?:^|[\\/])node_modules[\\/]|^node:|^internal\/|[\\/]\.trigger[\\/]|^native$|^<anonymous>$/;
const PROJECT_ROOT = /^.*?[\\/](?=(?:src|app|trigger|packages)[\\/])/;
/** Stacks and lines longer than this are no stacks; what is beyond is counted. */
const MOST_LINES = 400;
const LONGEST_LINE = 500;

/** `stack` is upstream text, already cleaned. At most `ownFrames` own frames are kept. */
export function viewStack(stack: string, ownFrames = 5): StackView {
  const lines: string[] = [];
  let own: string | undefined;
  let libraryFrames = 0;
  let pending = 0;
  let kept = 0;
  let dropped = 0;
  const flush = () => {
    if (pending > 0) lines.push(`    … ${pending} library ${pending === 1 ? "frame" : "frames"}`);
    pending = 0;
  };
  const all = stack.split("\n");
  for (const line of all.slice(0, MOST_LINES)) {
    const raw = line.slice(0, LONGEST_LINE);
    const frame = FRAME.exec(raw.trimEnd())?.[1];
    if (frame === undefined) {
      flush();
      if (raw.trim() !== "") lines.push(raw.trimEnd());
      continue;
    }
    if (isLibrary(frame)) {
      libraryFrames += 1;
      pending += 1;
      continue;
    }
    own ??= shortFrame(frame);
    if (kept >= ownFrames) {
      dropped += 1;
      continue;
    }
    flush();
    kept += 1;
    lines.push(`    at ${shortFrame(frame)}`);
  }
  flush();
  if (dropped > 0) lines.push(`    … ${dropped} more own ${dropped === 1 ? "frame" : "frames"}`);
  if (all.length > MOST_LINES) lines.push(`    … ${all.length - MOST_LINES} more lines`);
  return { lines, libraryFrames, ...(own !== undefined && { own }) };
}

/** `capture (file:///app/src/x.ts:42:17)` taken apart; the name is empty for a bare location. */
function parseFrame(frame: string): { name: string; file: string; line: string } {
  const open = frame.endsWith(")") ? frame.lastIndexOf(" (") : -1;
  const place = open >= 0 ? frame.slice(open + 2, -1) : frame;
  const position = POSITION.exec(place);
  return {
    name: open >= 0 ? frame.slice(0, open).replace("<anonymous>", "") : "",
    file: place.slice(0, position?.index ?? place.length).replace(/^file:\/\//, ""),
    line: position?.[1] ?? "",
  };
}

const isLibrary = (frame: string): boolean => LIBRARY.test(parseFrame(frame).file);

function shortFrame(frame: string): string {
  const { name, file, line } = parseFrame(frame);
  const short = file.replace(PROJECT_ROOT, "");
  return `${short}${line === "" ? "" : `:${line}`}${name === "" ? "" : ` ${name}`}`;
}
