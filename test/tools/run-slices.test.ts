import { describe, expect, it } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import getRun from "../../src/tools/get-run.ts";
import { apiWith, aRun } from "../support/api.ts";
import { ask } from "../support/reading.ts";

const run = aRun({
  status: "COMPLETED",
  payload: {
    customer: { id: "cus_81", cards: [{ id: "card_1" }, { id: "card_2" }], note: null },
    password: "correct horse battery",
    text: `${"x".repeat(100)} tr_prod_abcdefgh12345678 end`,
  },
  output: { rows: Array.from({ length: 5_000 }, (_, id) => ({ id })) },
});

const slice = (path: string | string[], of: Run = run) =>
  ask(getRun, apiWith({ runs: { retrieve: async () => of } }), { run_id: of.id, path });

describe("get_run with a path", () => {
  it("shows only what is there", async () => {
    const { text, structured } = await slice("payload.customer.cards[1]");
    expect(text).toBe(`${run.id} process-order COMPLETED · dev\npayload.customer.cards[1] {"id":"card_2"}`);
    expect(structured).toMatchObject({ run_id: run.id, paths: ["payload.customer.cards[1]"] });
  });

  it("shows several, ranges of lists, and null as a value", async () => {
    const { text } = await slice(["payload.customer.note", "output.rows[4998:]"]);
    expect(text).toContain("payload.customer.note null");
    expect(text).toContain('output.rows[4998:] [{"id":4998},{"id":4999}]');
  });

  it("says what is cut and names the call with the same path", async () => {
    const { text } = await slice("output.rows");
    expect(text).toMatch(/… [\d,]+ more items/);
    expect(text).toContain(
      `output.rows cut short: get_run {"run_id":"${run.id}","path":"output.rows","max_tokens":8000}`,
    );
  });

  it.each([
    [
      "payload.customer.crads[0]",
      /payload\.customer has no crads \(did you mean cards\?\); it has id, cards, note/,
    ],
    ["payload.customer.cards[7]", /payload\.customer\.cards has no \[7\]; it is a list of 2, \[0\] to \[1\]/],
    ["payload.customer.id.x", /payload\.customer\.id has no x; it is text, with nothing inside/],
    ["metadata.step", /The run has no metadata; it has payload, output/],
    ["customer.cards", /"path" begins with payload, output, metadata/],
    ["payload..x", /"path" begins with/],
  ])("refuses %s and says what there is", async (path, message) => {
    await expect(slice(path)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(message),
    });
  });

  it("names at most thirty of many keys", async () => {
    const wide = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`key${n}`, n]));
    await expect(slice("payload.nope", aRun({ payload: wide }))).rejects.toMatchObject({
      message: expect.stringMatching(/key29 and 1970 more keys\.$/),
    });
  });

  it("hides what is secret by its name also when it is asked for by name", async () => {
    const { text } = await slice("payload.password");
    expect(text).not.toContain("horse");
  });

  it("cuts no secret in two: a range of a text is taken after cleaning", async () => {
    for (const range of ["[0:110]", "[105:]", "[103:112]"]) {
      const { text } = await slice(`payload.text${range}`);
      expect(text).not.toMatch(/abcd|5678|tr_prod/);
    }
  });

  it("says when a value stored out of line could not be read, never its link", async () => {
    const unread = aRun({ payloadPresignedUrl: "https://bucket.example/k?X-Amz-Signature=abc" });
    await expect(slice("payload.x", unread)).rejects.toMatchObject({
      message: expect.stringMatching(/the payload of run_\S+ is stored out of line and could not be read/),
    });
  });
});
