/** `scripts/chaos.ts` does the same for as long as one likes. */
import { expect, it } from "vitest";
import { chaos } from "../support/chaos.ts";

const MEBIBYTE = 1024 * 1024;

it("ten conversations through a faulty network lose nothing, double nothing and mix up nothing", async () => {
  const { problems, faults, heap, left, questions } = await chaos({
    conversations: 10,
    goOn: (asked) => asked < 4,
    seed: 1,
  });
  expect(problems).toEqual([]);
  expect(questions).toBe(50);
  expect(Object.keys(faults)).toEqual(
    expect.arrayContaining(["cut", "stall", "repeat", "lose", "delay", "401", "500"]),
  );
  expect(left).toEqual({ answers: 0, sockets: 0 });
  expect(heap.after - heap.before).toBeLessThan(16 * MEBIBYTE);
}, 120_000);
