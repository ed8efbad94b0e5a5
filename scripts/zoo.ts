/**
 * Lets `diagnose_run` loose on every run of the bug zoo and prints how it did; fails when it missed anything.
 * `--markdown` prints the table for the README, `--show` the answers as well, a name asks about one exhibit.
 */
import { exhibits } from "../test/zoo/index.ts";
import { type Score, score } from "../test/zoo/score.ts";
import { markdownTable, plainTable } from "../test/zoo/table.ts";

const args = process.argv.slice(2);
const flags = new Set(args.filter((arg) => arg.startsWith("--")));
const wanted = args.filter((arg) => !arg.startsWith("--"));

const chosen = exhibits.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
if (chosen.length === 0) throw new Error(`no exhibit is called ${wanted.join(" or ")}`);

const scores: Score[] = [];
for (const exhibit of chosen) {
  const done = await score(exhibit);
  scores.push(done);
  if (flags.has("--show")) console.log(`── ${exhibit.name}: ${exhibit.story}\n${done.text}\n`);
}
console.log(flags.has("--markdown") ? markdownTable(scores) : plainTable(scores));
process.exitCode = scores.some(({ misses }) => misses.length > 0) ? 1 : 0;
