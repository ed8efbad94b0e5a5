/** Records of `.out` as the API puts them on the wire, contract channels.md 2. */
const bodyOf = (seq: number, data: object): string => JSON.stringify({ data, id: `part-${seq}` });

/** One event of `.out` as the server frames it. */
export const batchOf = (records: object[]): string =>
  `event: batch\ndata: ${JSON.stringify({ records })}\n\n`;

export const chunk = (seq: number, data: object) => ({
  seq_num: seq,
  timestamp: 1_787_220_000_000 + seq,
  body: bodyOf(seq, data),
});

export const delta = (seq: number, text: string) => chunk(seq, { type: "text-delta", id: "t1", delta: text });

export const complete = (seq: number) => ({
  seq_num: seq,
  timestamp: 1_787_220_000_000 + seq,
  headers: [
    ["trigger-control", "turn-complete"],
    ["session-in-event-id", "0"],
  ],
  body: "",
});
