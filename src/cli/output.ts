/** Where commands write. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** A reader that has gone takes the process with it, quietly: `trigger-mcp tools | head -3`. */
process.stdout.on("error", () => process.exit(0));

export const terminal: Output = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
};
