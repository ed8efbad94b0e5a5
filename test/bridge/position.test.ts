import { describe, expect, it } from "vitest";
import {
  isBusy,
  payloadTurnAhead,
  positionOf,
  turnNumberAfter,
  turnStart,
} from "../../src/bridge/position.ts";
import { answer, data, records, says, turnComplete } from "../support/channel.ts";

const stop = (seq: number) => data(seq, { kind: "stop" });

const preloaded = { triggerConfig: { basePayload: { chatId: "chat-81", trigger: "preload" } } };
const withFirst = {
  triggerConfig: {
    basePayload: {
      trigger: "submit-message",
      message: { id: "u0", role: "user", parts: [{ type: "text", text: "hi" }] },
    },
  },
};

describe("where a session stands", () => {
  it("is nowhere when nothing has happened", () => {
    const position = positionOf(preloaded, [], []);
    expect(position).toMatchObject({ out: { turns: [], open: false }, unanswered: [], turnsDone: 0 });
    expect(isBusy(preloaded, position)).toBe(false);
    expect(turnStart(position, undefined)).toBeUndefined();
    expect(turnNumberAfter(position, undefined)).toBe(1);
  });

  it("owes an answer to the first message of the payload", () => {
    expect(isBusy(withFirst, positionOf(withFirst, [], []))).toBe(true);
  });

  it("knows the input no turn has consumed; a stop asks for no answer", () => {
    const out = [...records(0, answer("one")), turnComplete(9, 0)];
    const position = positionOf(preloaded, out, [says(0), says(1, "cancel it"), stop(2)]);
    expect(position.unanswered).toMatchObject([{ seq: 1, kind: "message" }]);
    expect(position.in.last).toBe(2);
    expect(isBusy(preloaded, position)).toBe(true);
  });

  it("sees a turn under way", () => {
    const out = [...records(0, answer("one")), turnComplete(9, 0), data(10, { type: "start" })];
    expect(positionOf(preloaded, out, [says(0)]).out).toMatchObject({ first: 0, last: 10, open: true });
  });

  it("counts turns by their marks while nothing is trimmed, then by the input they consumed", () => {
    const all = [turnComplete(0, 0), turnComplete(1, 1), turnComplete(2, 3)];
    const inputs = [says(0), says(1), stop(2), says(3)];
    expect(positionOf(preloaded, all, inputs).turnsDone).toBe(3);
    expect(positionOf(preloaded, all.slice(1), inputs).turnsDone).toBe(3);
    expect(positionOf(withFirst, all.slice(1), inputs).turnsDone).toBe(4);
    expect(positionOf(preloaded, [turnComplete(7)], inputs).turnsDone).toBeUndefined();
  });

  it("sees the turn of the payload's message ahead until it is complete", () => {
    const ahead = (turns: Parameters<typeof positionOf>[1], after?: number) =>
      payloadTurnAhead(withFirst, positionOf(withFirst, turns, []), after);
    expect(ahead([])).toBe(true);
    expect(ahead([data(0, {}), turnComplete(5)])).toBe(true);
    expect(ahead([data(0, {}), turnComplete(5)], 5)).toBe(false);
    expect(ahead([turnComplete(50), turnComplete(60, 3)])).toBe(false);
    expect(payloadTurnAhead(preloaded, positionOf(preloaded, [], []), undefined)).toBe(false);
  });

  it("starts reading after the last turn that cannot be the one", () => {
    const out = [turnComplete(0, 0), turnComplete(10, 1), turnComplete(20, 2)];
    const position = positionOf(preloaded, out, [says(0), says(1), says(2)]);
    expect(turnStart(position, undefined)).toBe(20);
    expect(turnStart(position, 3)).toBe(20);
    expect(turnStart(position, 2)).toBe(10);
    expect(turnNumberAfter(position, 20)).toBe(4);
    expect(turnNumberAfter(position, 10)).toBe(3);
  });

  it("goes by time where old agents do not tell what they consumed", () => {
    const out = [turnComplete(5)];
    const position = positionOf(preloaded, out, [says(1), says(9)]);
    expect(position.unanswered).toMatchObject([{ seq: 9 }]);
  });
});
