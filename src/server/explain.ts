/**
 * Errors in words: what happened, whose move it is, the next step. The one place where a failure becomes an answer.
 * What the API said is quoted as data, cleaned and short; surprises get a reference and a log line, never their text.
 */
import { randomBytes } from "node:crypto";
import { type Call, call, formatCall } from "../domain/calls.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import { isRunId, isSessionFriendlyId } from "../domain/ids.ts";
import type { Effect } from "../tools/define.ts";
import type { Logger } from "./log.ts";

export interface About {
  /** The tool or resource. */
  subject: string;
  effect: Effect;
  args: Record<string, unknown>;
  /** Name of the environment; absent when the call never got that far. */
  target?: string;
  otherTargets: string[];
  clean(text: string): string;
  now: number;
  log: Logger;
}

export interface Explained {
  text: string;
  structured: { code: string; status?: number; retryable: boolean; next?: Call[] };
}

const LONGEST_QUOTE = 400;

function quote(text: string, about: About): string {
  const cleaned = about.clean(text).replace(/\s+/g, " ").trim();
  return cleaned.length <= LONGEST_QUOTE ? cleaned : `${cleaned.slice(0, LONGEST_QUOTE)}…`;
}

const where = (about: About): string => (about.target === undefined ? "" : ` in ${about.target}`);

const status = (error: TriggerError): string => (error.status === undefined ? "" : ` (${error.status})`);

/** ` The API said: "…".`, unless the message says it already. */
function said(error: TriggerError, about: About): string {
  if (error.said === undefined || error.message.includes(error.said)) return "";
  return ` The API said: "${quote(error.said, about)}".`;
}

const stringArgument = (about: About, name: string): string | undefined => {
  const value = about.args[name];
  return typeof value === "string" ? value : undefined;
};

/** What the arguments named: the narrowest first. */
function named(about: About): { noun: string; id: string } | undefined {
  for (const [argument, noun] of [
    ["span_id", "span"],
    ["run_id", "run"],
    ["session", "session"],
    ["task", "task"],
  ] as const) {
    const id = stringArgument(about, argument);
    if (id !== undefined) return { noun, id: quote(id, about) };
  }
  return undefined;
}

const LOOK: Record<string, (about: About) => Call> = {
  span: (about) => call("get_run_trace", { run_id: stringArgument(about, "run_id") ?? "" }),
  run: () => call("list_runs"),
  session: () => call("list_sessions"),
  task: () => call("list_runs"),
};

/** An id that is plainly of something else. */
function otherKind({ noun, id }: { noun: string; id: string }): { words: string; next: Call } | undefined {
  if (noun === "run" && !isRunId(id)) {
    return isSessionFriendlyId(id)
      ? { words: "It is the id of a session.", next: call("get_session", { session: id }) }
      : { words: 'Run ids begin with "run_"; other ids may be of sessions.', next: call("list_runs") };
  }
  if (noun === "session" && isRunId(id))
    return { words: "It looks like the id of a run.", next: call("get_run", { run_id: id }) };
  return undefined;
}

function notFound(error: TriggerError, about: About): [string, Call[]] {
  const thing = named(about);
  const what =
    thing === undefined
      ? `${quote(error.message, about)}${status(error)}.`
      : `${thing.noun === "run" || thing.noun === "session" ? "" : `${thing.noun} `}${thing.id} was not found${where(about)}${status(error)}.`;
  const ids = thing?.noun === "span" ? "Span ids belong to one run" : "Ids belong to one environment";
  const elsewhere =
    about.otherTargets.length > 0
      ? `look in ${about.otherTargets.join(" or ")} with "target"`
      : `this server sees ${about.target ?? "one environment"} only; with a key of another environment it sees that one`;
  const mistaken = thing && otherKind(thing);
  if (mistaken) return [`${what} ${mistaken.words}`, [mistaken.next]];
  return [
    `${what} ${ids}${thing?.noun === "span" ? "; a new run has no trace for the first moments" : `: ${elsewhere}`}.`,
    thing === undefined ? [] : [LOOK[thing.noun]?.(about)].filter((found) => found !== undefined),
  ];
}

function checks(about: About): Call[] {
  const task = stringArgument(about, "task");
  const session = stringArgument(about, "session");
  const runId = stringArgument(about, "run_id");
  if (about.subject === "trigger_task" || about.subject === "replay_run") {
    return [call("list_runs", { ...(task === undefined ? {} : { task }), period: "5m" })];
  }
  if (session !== undefined) return [call("get_session", { session })];
  return runId === undefined ? [] : [call("get_run", { run_id: runId })];
}

function unknownOutcome(about: About, why: string): [string, Call[]] {
  const twice =
    about.subject === "trigger_task" || about.subject === "replay_run"
      ? "Calling again could start a second copy."
      : "Look before calling again.";
  return [`Unknown outcome: ${why}. It may have been done. ${twice}`, checks(about)];
}

function seconds(until: number | undefined, now: number): string {
  return until === undefined || until <= now ? "in a moment" : `in ${Math.ceil((until - now) / 1000)} s`;
}

function words(error: TriggerError, about: About): [string, Call[]] {
  const message = quote(error.message, about).replace(/[.\s]+$/, "");
  const quoted = said(error, about);
  switch (error.code) {
    case "not_configured":
      return [error.message, []];
    case "invalid_request":
      return error.status === undefined
        ? [about.clean(error.message), []]
        : [
            `The API refused the arguments${status(error)}: ${message}.${quoted} Nothing was changed; correct them and call again.`,
            [],
          ];
    case "unprocessable":
      return [
        `The API could not do this${status(error)}: ${message}.${quoted} The same call will be refused again; change it.`,
        [],
      ];
    case "unauthorized":
      return [
        `The credential was not accepted${where(about)}${status(error)}.${quoted} The user has to set a valid one (TRIGGER_SECRET_KEY or TRIGGER_ACCESS_TOKEN) and restart the server; another call will not help.`,
        [call("get_connection")],
      ];
    case "forbidden":
      return [
        `The credential may not do this${where(about)}${status(error)}.${quoted} The user has to connect with a key that may; get_connection tells what this one may do.`,
        [call("get_connection")],
      ];
    case "not_found":
      return notFound(error, about);
    case "conflict":
      return [
        `Its present state does not allow this${status(error)}: ${message}.${quoted} Read it again before deciding.`,
        checks(about),
      ];
    case "session_closed":
      return [
        `The session is closed${where(about)}${status(error)} and takes nothing more.${quoted} Its conversation can still be read; a new one begins with start_session.`,
        checks(about),
      ];
    case "too_large":
      return [`It is too large${status(error)}: ${message}.${quoted} Send less.`, []];
    case "rate_limited":
      return [
        `The API is limiting requests${where(about)}${status(error)}. Call again ${seconds(error.retryAt, about.now)}, unchanged.`,
        [],
      ];
    case "server_error":
      return [
        `The API failed${where(about)}${status(error)}: ${message}.${quoted} It is not about the arguments: call again in a moment.`,
        [],
      ];
    case "unsupported":
      return [`This Trigger.dev server does not offer that${status(error)}: ${message}.${quoted}`, []];
    case "unreachable":
      return [
        `The API could not be reached${where(about)}: ${message}. The user should check TRIGGER_API_URL and the network; then call again.`,
        [],
      ];
    case "timeout":
      return about.effect === "read"
        ? [`No answer in time${where(about)}: ${message}. Call again, or ask for less.`, []]
        : unknownOutcome(about, "no answer came in time");
    case "cancelled":
      return ["Cancelled before it was done.", []];
    case "contract":
      return [
        `The API answered in a form this version does not understand${where(about)}: ${message}. A newer trigger-mcp may; calling again will not help.`,
        [],
      ];
    case "outcome_unknown":
      return unknownOutcome(about, message);
  }
}

function surprise(error: unknown, about: About): Explained {
  const reference = randomBytes(4).toString("hex");
  about.log.error({ reference, subject: about.subject, err: error }, "unexpected error");
  return {
    text: `Something went wrong inside trigger-mcp (reference ${reference}); the arguments are not to blame. The cause is in the server's log on stderr under that reference.`,
    structured: { code: "internal", retryable: false },
  };
}

/** Never throws. */
export function explain(error: unknown, about: About): Explained {
  if (!isTriggerError(error)) return surprise(error, about);
  const [sentences, calls] = words(error, about);
  const hint = error.hint === undefined ? "" : ` ${quote(error.hint, about)}`;
  const next = calls.length === 0 ? "" : `\nnext: ${calls.map(formatCall).join("   ")}`;
  return {
    text: `${sentences}${hint}${next}`,
    structured: {
      code: error.code,
      ...(error.status === undefined ? {} : { status: error.status }),
      retryable: error.retryable,
      ...(calls.length === 0 ? {} : { next: calls }),
    },
  };
}

/** What a hard stop is: the tool did not keep to its deadline. */
export const overdue = () =>
  new TriggerError("timeout", "the call went past its deadline", { retryable: true });
