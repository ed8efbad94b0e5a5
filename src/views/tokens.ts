/** What a text costs a model, without carrying a tokenizer. */

/** Upper estimate of the o200k tokens of `text`. */
export function tokens(text: string): number {
  return Math.ceil(text.length / 2);
}

/** `text`, or as much of its beginning as costs at most `budget`, ending in a count of what was cut. */
export function clipToTokens(text: string, budget: number): string {
  if (tokens(text) <= budget) return text;
  const keep = Math.max(0, (budget - 12) * 2);
  return `${text.slice(0, keep)}\n… ${text.length - keep} more characters`;
}
