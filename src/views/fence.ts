/**
 * Marks where long upstream text begins and ends, so that a reader can tell data from our own words. The marker carries
 * the response's nonce, which upstream text cannot know; should it occur inside all the same, it is broken there.
 */

/** `text` between two marked lines. `label` is ours and short: `payload`, `output`. */
export function fence(label: string, text: string, nonce: string): string {
  const mark = `${label} ${nonce}`;
  const inside = nonce === "" ? text : text.replaceAll(nonce, `${nonce.slice(0, 1)}…${nonce.slice(1)}`);
  return `<<<${mark}\n${inside}\n${mark}>>>`;
}

/** Text of several lines outside of a fence: all but the first are marked, so that none passes for one of ours. */
export const markLines = (text: string): string => text.replaceAll("\n", "\n│ ");

/** Lines a fence adds to the text in it. */
export const FENCE_LINES = 2;
