/** Stack traces the way they are read: the first own frames, and library frames only as a number. */
import { frameText, isOwn, parseFrame } from "../domain/frames.ts";

export interface StackView {
  /** First frame in code that is not a library, as `src/trigger/charge.ts:42 capturePayment`. */
  own?: string;
  /** Message and frames, library frames folded in place into a count. */
  lines: string[];
  libraryFrames: number;
}

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
    const frame = parseFrame(raw);
    if (frame === undefined) {
      flush();
      if (raw.trim() !== "") lines.push(raw.trim());
      continue;
    }
    if (!isOwn(frame)) {
      libraryFrames += 1;
      pending += 1;
      continue;
    }
    own ??= frameText(frame);
    if (kept >= ownFrames) {
      dropped += 1;
      continue;
    }
    flush();
    kept += 1;
    lines.push(`    at ${frameText(frame)}`);
  }
  flush();
  if (dropped > 0) lines.push(`    … ${dropped} more own ${dropped === 1 ? "frame" : "frames"}`);
  if (all.length > MOST_LINES) lines.push(`    … ${all.length - MOST_LINES} more lines`);
  return { lines, libraryFrames, ...(own !== undefined && { own }) };
}
