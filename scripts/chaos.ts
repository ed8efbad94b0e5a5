/**
 * Ten conversations with the embedded agent through a faulty network, for two minutes or as many seconds as given,
 * with the seed given after that. Fails when a record was lost or doubled, an answer went to the wrong question, a
 * connection stayed open, or memory grew.
 */
import { chaos } from "../test/support/chaos.ts";

const MEBIBYTE = 1024 * 1024;
const MOST_GROWTH = 32 * MEBIBYTE;

const [seconds = 120, seed = 1] = process.argv.slice(2).map(Number);
const end = Date.now() + seconds * 1000;
const { problems, faults, heap, left, questions, records, recovered } = await chaos({
  conversations: 10,
  goOn: () => Date.now() < end,
  seed,
});
const grown = heap.after - heap.before;
const complaints = [
  ...problems,
  ...(left.answers + left.sockets > 0 ? [`left open: ${left.answers} answers, ${left.sockets} sockets`] : []),
  ...(grown > MOST_GROWTH ? ["memory grew"] : []),
];
const list = Object.entries(faults).map(([name, count]) => `${count} × ${name}`);
console.log(`${questions} questions, ${records} records compared, ${recovered} calls recovered`);
console.log(`faults: ${list.join(", ")}`);
console.log(
  `heap: ${Math.round(heap.before / MEBIBYTE)} MiB, at the end ${Math.round(heap.after / MEBIBYTE)} MiB`,
);
console.log(complaints.length === 0 ? "nothing lost, doubled or mixed up" : complaints.join("\n"));
process.exitCode = complaints.length === 0 ? 0 : 1;
