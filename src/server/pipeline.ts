/**
 * Every tool call goes through here, whichever transport or command brought it: arguments, context, deadline, run,
 * view, budget, errors. Answers are neutral; register.ts makes the protocol's result of them.
 */
import { randomInt } from "node:crypto";
import { createProgress, type ProgressOptions } from "../bridge/progress.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import type { ToolDefinition } from "../tools/define.ts";
import type { Answer, ViewContext } from "../views/answer.ts";
import { cleanValue } from "../views/clean.ts";
import { clipToTokens, tokens } from "../views/tokens.ts";
import { unfinished } from "../views/unfinished.ts";
import { type Arguments, budgetOf, readArguments } from "./arguments.ts";
import { cleanerOf } from "./cleaner.ts";
import { explain, overdue } from "./explain.ts";
import type { Outcome } from "./metrics.ts";
import type { Service, Target } from "./service.ts";

/** Who asked. */
export interface Caller {
  /** Aborted when the caller goes away. */
  signal: AbortSignal;
  /** Sends one progress notification; absent when the caller gave no token. */
  progress?: ProgressOptions["send"];
  /** It shows apps: what they show comes with the answers. */
  apps?: boolean;
}

export interface ToolAnswer {
  text: string;
  structured: Record<string, unknown>;
  isError: boolean;
  /** Data for the caller's apps. */
  meta?: Record<string, unknown>;
}

/** Design section 3: hosts give up on a silent call after about a minute, and wait longer for one that shows progress. */
const SECONDS = { silent: 45, watched: 120, most: 600 };

/** How far past its own deadline a call may go to put its answer together: a silent one is over within 50 seconds. */
const GRACE_MS = 5_000;

/** Seconds a call that waits may take. */
function allowance(watched: boolean, asked: number | undefined): number {
  return watched
    ? Math.min(asked ?? SECONDS.watched, SECONDS.most)
    : Math.min(asked ?? SECONDS.silent, SECONDS.silent);
}

/** `work`, or a rejection as soon as the signal aborts: what does not listen to it cannot hold the call. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => {});
  }
}

const pickTarget = (service: Service, name: string | undefined): Target =>
  service.targets.find((target) => target.name === name) ?? service.targets[0];

/** Nine digits, so that every one costs the same: what fits does not depend on it. */
const nonce = (): string => randomInt(1e9).toString().padStart(9, "0");

/** A context for views: fresh nonce and placeholders for every answer. */
export function viewContext(service: Service, target: string, budget: number): ViewContext {
  return {
    budget,
    now: service.now(),
    target,
    clean: cleanerOf(service),
    nonce: nonce(),
  };
}

async function run(
  service: Service,
  tool: ToolDefinition,
  args: Arguments,
  target: Target,
  view: ViewContext,
  caller: Caller,
): Promise<Answer> {
  const began = service.now();
  const watched = caller.progress !== undefined;
  const asked = typeof args.input.timeout_seconds === "number" ? args.input.timeout_seconds : undefined;
  const deadline = (seconds?: number) => began + allowance(watched, seconds) * 1000;
  const hardStop = new AbortController();
  const timer = setTimeout(() => hardStop.abort(overdue()), deadline(asked) - began + GRACE_MS);
  const signal = AbortSignal.any([caller.signal, hardStop.signal]);
  const progress = createProgress({
    ...(caller.progress === undefined ? {} : { send: caller.progress }),
    clean: view.clean,
    cleanLine: (line) => cleanerOf(service)(line),
    ...(service.redact && { unfinished }),
  });
  try {
    const api = await until(signal, target.api());
    const data = await until(
      signal,
      tool.run(args.input, {
        api,
        target: target.name,
        connection: {
          apiUrl: api.baseUrl,
          embedded: target.embedded,
          readOnly: service.readOnly,
          version: service.version,
          targets: service.targets.map(({ name }) => name),
        },
        signal,
        progress,
        now: service.now,
        deadline,
      }),
    );
    const answer = tool.view(data, view, args.input);
    const { app } = tool;
    return app && caller.apps ? { ...answer, meta: { [app.key]: app.data(data, view) } } : answer;
  } catch (error) {
    throw hardStop.signal.aborted ? overdue() : error;
  } finally {
    clearTimeout(timer);
    await progress.close();
  }
}

/** With several targets every answer names its own, in words and as a value. */
function withTarget(answer: Answer, service: Service, target: Target): Answer {
  if (service.targets.length < 2) return answer;
  const said = answer.text.includes(target.name);
  return {
    ...answer,
    text: said ? answer.text : `${target.name}: ${answer.text}`,
    structured: { target: target.name, ...answer.structured },
  };
}

/**
 * The one way out: whatever a view has let through is cleaned here, in the words, in the values and in what apps are sent,
 * and the words kept to their budget.
 */
function shown({ text, structured, isError = false, meta }: Answer, view: ViewContext): ToolAnswer {
  const cleaned = view.clean(text);
  return {
    text: tokens(cleaned) <= view.budget ? cleaned : clipToTokens(cleaned, view.budget),
    structured: cleanValue(structured, view.clean) as Record<string, unknown>,
    isError,
    ...(meta && { meta: cleanValue(meta, view.clean) as Record<string, unknown> }),
  };
}

function outcomeOf(error: unknown, caller: Caller): Outcome {
  if (caller.signal.aborted) return "cancelled";
  return isTriggerError(error) && error.code === "invalid_request" && error.status === undefined
    ? "refused"
    : "error";
}

/** Calls a tool. Never throws: what goes wrong is the answer. */
export async function callTool(
  service: Service,
  tool: ToolDefinition,
  raw: unknown,
  caller: Caller,
): Promise<ToolAnswer> {
  const ended = service.metrics.started(tool.name);
  const names = service.targets.map(({ name }) => name);
  let args: Arguments | undefined;
  let target: Target | undefined;
  let view = viewContext(service, names[0] ?? "", budgetOf(raw));
  try {
    args = readArguments(tool, raw, names);
    target = pickTarget(service, args.target);
    view = { ...view, target: target.name, budget: args.budget };
    const answer = withTarget(await run(service, tool, args, target, view, caller), service, target);
    ended("ok");
    return shown(answer, view);
  } catch (error) {
    const outcome = outcomeOf(error, caller);
    ended(outcome);
    service.log.debug({ tool: tool.name, outcome }, "call failed");
    const told = explain(
      outcome === "cancelled" ? new TriggerError("cancelled", "the caller went away") : error,
      {
        subject: tool.name,
        effect: tool.effect,
        args: args?.input ?? {},
        ...(target === undefined ? {} : { target: target.name }),
        otherTargets: names.filter((name) => target !== undefined && name !== target.name),
        clean: view.clean,
        now: service.now(),
        log: service.log,
      },
    );
    return shown({ text: told.text, structured: { ...told.structured }, isError: true }, view);
  }
}
