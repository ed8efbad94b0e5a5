/** One conversation of the chaos, and the comparison of what came through the faults with what was really said. */
import { createHash } from "node:crypto";
import { progressRecord } from "../../src/bridge/plain.ts";
import type { ProgressRecord } from "../../src/bridge/progress.ts";
import type { TriggerApi } from "../../src/client/api.ts";
import { isTriggerError } from "../../src/domain/errors.ts";
import followSession from "../../src/tools/follow-session.ts";
import sendSessionMessage from "../../src/tools/send-session-message.ts";
import type { Answer } from "../../src/views/answer.ts";
import { callTool } from "./tools.ts";

export interface Tally {
  questions: number;
  /** Of `.out`, compared one by one. */
  records: number;
  /** Calls made again after an error, or gone on with. */
  recovered: number;
  /** Whatever must not happen, in words. */
  problems: string[];
}

export interface Talk {
  /** Asks where an order is that nobody else asks for. */
  ask(order: number): Promise<void>;
  /** Compares what is left to compare, and leaves. */
  end(): Promise<void>;
}

/** Calls about one question before it counts as lost. */
const PATIENCE = 40;
const QUESTION_SECONDS = 20;
/** Not `unauthorized`: here a token can expire, be renewed and expire again within one call. */
const HOPELESS = ["forbidden", "not_found", "contract", "invalid_request", "cancelled"];

const answerAbout = (order: number): string =>
  `I cannot find order ${order}. Could you check the number on your receipt?`;

/** `direct` knows no faults and tells what is true; `api` goes through them. */
export async function openTalk(
  direct: TriggerApi,
  api: TriggerApi,
  session: string,
  tally: Tally,
): Promise<Talk> {
  await direct.sessions.create({
    type: "chat.agent",
    task: "support-agent",
    externalId: session,
    triggerConfig: { basePayload: { chatId: session, trigger: "preload" } },
  });
  const problem = (what: string) => void tally.problems.push(`${session}: ${what}`);
  const leaving = new AbortController();
  const truth = listen(direct, session, leaving.signal, () => tally.recovered++);
  const heard = listen(api, session, leaving.signal, () => tally.recovered++);
  const keys: string[] = [];

  /** The call until it answers: an error that says it may be called again is no loss. */
  async function insist(call: (progress: ProgressRecord[]) => Promise<Answer>) {
    for (let made = 1; ; made += 1) {
      const records: ProgressRecord[] = [];
      try {
        return { answer: await call(records), records };
      } catch (error) {
        if (!isTriggerError(error) || HOPELESS.includes(error.code) || made === PATIENCE) throw error;
        tally.recovered += 1;
      }
    }
  }

  const watching = (records: ProgressRecord[]) => ({
    context: {
      progress: {
        wanted: true,
        report: (_: string, more: ProgressRecord[] = []) => void records.push(...more),
      },
    },
  });

  async function question(order: number): Promise<void> {
    const key = `${session}-${order}`;
    keys.push(key);
    const message = `where is order ${order}?`;
    let { answer, records } = await insist((carried) =>
      callTool(
        sendSessionMessage,
        { session, message, key, timeout_seconds: QUESTION_SECONDS },
        api,
        watching(carried),
      ),
    );
    for (let made = 1; answer.structured.state === "running" && made < PATIENCE; made += 1) {
      tally.recovered += 1;
      const next = answer.structured.next?.find(({ tool }) => tool === "follow_session");
      const more = await insist((carried) =>
        callTool(followSession, next?.args as { session: string }, api, watching(carried)),
      );
      answer = more.answer;
      records = [...records, ...more.records];
    }
    tally.questions += 1;
    if (answer.structured.state !== "done")
      problem(`order ${order} ended ${answer.structured.state}: ${answer.text}`);
    const said = lastTurn(records);
    if (said !== answerAbout(order)) problem(`order ${order} was answered ${JSON.stringify(said)}`);
    for (const wrong of differences(records, await truth.upTo(records.at(-1)?.seq ?? -1))) problem(wrong);
  }

  async function compare(): Promise<void> {
    const out = await direct.channels.records({ session, io: "out" });
    const last = out.at(-1)?.seq ?? -1;
    const [said, received] = await Promise.all([truth.upTo(last), heard.upTo(last)]);
    tally.records += said.length;
    if (said.join() !== received.join()) problem("the listener behind the faults has heard something else");
    const asked = await direct.channels.records({ session, io: "in" });
    const parts = asked.map((record) => (record.kind === "data" ? record.partId : undefined));
    if ([...parts].sort().join() !== [...keys].sort().join())
      problem(`.in holds ${parts}, sent were ${keys}`);
  }

  return {
    async ask(order) {
      try {
        await question(order);
      } catch (error) {
        problem(`order ${order}: ${error}`);
      }
    },

    async end() {
      try {
        await compare();
      } catch (error) {
        problem(String(error));
      } finally {
        leaving.abort();
      }
    },
  };
}

/** The text of the last turn the records speak of. */
function lastTurn(records: readonly ProgressRecord[]): string {
  const start = records.slice(0, -1).findLastIndex(({ kind }) => kind === "turn-complete") + 1;
  return records
    .slice(start)
    .map(({ chunk }) => chunk as { type?: string; delta?: string } | undefined)
    .map((chunk) => (chunk?.type === "text-delta" ? chunk.delta : ""))
    .join("");
}

/** What is short enough to keep of every record. */
const print = (record: ProgressRecord): string =>
  createHash("sha1").update(JSON.stringify(record)).digest("base64").slice(0, 12);

/** Records that came with progress, against all there were: in order, none missing in between, none twice. */
function differences(carried: readonly ProgressRecord[], all: readonly string[]): string[] {
  const first = carried[0]?.seq;
  if (first === undefined) return ["no records came with the progress"];
  const expected = all.slice(first, (carried.at(-1)?.seq ?? -1) + 1).filter((one) => one !== SKIPPED);
  const found = carried.map(print);
  return found.join() === expected.join()
    ? []
    : [`from record ${first} on ${found.length} came, there are ${expected.length}`];
}

const SKIPPED = "-";

/** Listens to `.out` from its beginning, one print a record at the index of its number, whatever happens to the connection. */
function listen(api: TriggerApi, session: string, signal: AbortSignal, onBroken: () => void) {
  const prints: string[] = [];
  let waiting: (() => void)[] = [];
  let failed: unknown;
  const tell = () => {
    const all = waiting;
    waiting = [];
    for (const look of all) look();
  };

  async function once(): Promise<void> {
    const after = prints.length === 0 ? {} : { after: prints.length - 1 };
    for await (const item of api.channels.follow({ session, io: "out" }, { signal, ...after })) {
      if (item.kind === "caught-up") continue;
      if (item.kind === "gap") throw new Error(`${session}: ${item.from} to ${item.to} are gone`);
      if (item.seq !== prints.length)
        throw new Error(`${session}: ${item.seq} came, ${prints.length} was due`);
      prints.push(item.kind === "skipped" ? SKIPPED : print(progressRecord(item)));
      tell();
    }
  }

  const listening = (async () => {
    while (!signal.aborted) {
      try {
        await once();
      } catch (error) {
        if (!isTriggerError(error) || HOPELESS.includes(error.code)) throw error;
        onBroken();
      }
    }
  })();
  listening.catch((error: unknown) => {
    failed = error;
    tell();
  });

  return {
    /** All prints, once those up to `seq` are among them. */
    async upTo(seq: number): Promise<readonly string[]> {
      while (prints.length <= seq && failed === undefined)
        await new Promise<void>((resolve) => void waiting.push(resolve));
      if (failed !== undefined) throw failed;
      return prints;
    },
  };
}
