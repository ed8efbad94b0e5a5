/** Puts a chat input on a session's `.in`, once however often it is asked for: contract channels.md 7 and 8. */
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import type { ToolContext } from "./define.ts";

export interface Input {
  session: string;
  body: string;
  /** Its part id. */
  key: string;
  /** What to do when nobody knows whether it was appended. */
  hint: string;
}

export interface Appended {
  /** Absent where the record could not be found again. */
  seq?: number;
  /** It was there already. */
  repeated: boolean;
}

/** An outcome nobody knows is `outcome_unknown`, `retryable` with the same key. */
export async function appendInput(input: Input, context: ToolContext, deadline: number): Promise<Appended> {
  const seq = await append(input, context, deadline);
  if (seq !== undefined) return { seq, repeated: false };
  const found = await seqOf(input, context, deadline);
  return { ...(found !== undefined && { seq: found }), repeated: true };
}

/** Its position, or `undefined` when it was there already. Throws as {@link appendInput}. */
export async function append(
  { session, body, key, hint }: Input,
  { api, signal }: ToolContext,
  deadline: number,
): Promise<number | undefined> {
  try {
    return (await api.channels.append({ session, io: "in" }, body, key, { signal, deadline })).seq;
  } catch (error) {
    if (!isTriggerError(error)) throw error;
    if (!["outcome_unknown", "timeout", "unreachable", "server_error"].includes(error.code)) throw error;
    throw new TriggerError("outcome_unknown", `it may or may not have been sent (${error.message})`, {
      retryable: true,
      cause: error,
      hint,
    });
  }
}

/** A repeated part id is acknowledged without its number: the record itself has it. */
async function seqOf(
  { session, key }: Input,
  { api, signal }: ToolContext,
  deadline: number,
): Promise<number | undefined> {
  const records = await api.channels.records({ session, io: "in" }, undefined, { signal, deadline });
  return records.findLast((record) => record.kind === "data" && record.partId === key)?.seq;
}
