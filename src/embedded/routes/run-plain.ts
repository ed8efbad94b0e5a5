/** The plain routes of a run: result, tags, reschedule, contract api.md 1.6, 2.1 and 2.5. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import { type Engine, EngineRefusal, type StoredRun } from "../engine/types.ts";
import { parseDelay } from "./durations.ts";
import type { Packets } from "./packets.ts";
import { jsonOf, mountPlain, type PlainCall, plain } from "./plain.ts";
import { error, lateMethodNotAllowed, plainServerError } from "./replies.ts";
import { runDetail, runResult } from "./run-presenter.ts";
import { vocabularyOf } from "./status.ts";

const MAX_TAGS = 10;

const Tag = z.string().max(128);
const TagsBody = z.object({ tags: z.union([Tag, z.array(Tag)]) });
const DelayBody = z.object({ delay: z.union([z.string(), z.number()]) });

const SOMETHING_WRONG = "Something went wrong, please try again.";

export interface RunPlainDeps {
  gates: Gates;
  engine: Engine;
  packets: Packets;
  now(): number;
}

export function runPlainRoutes(app: Hono, deps: RunPlainDeps): void {
  const { gates, engine } = deps;
  const find = ({ principal, params }: PlainCall) =>
    engine.runs.find(principal.environment.id, params.runId ?? "");
  const failure = () => error(500, SOMETHING_WRONG);
  // GET on a route without a loader is the framework's 400; other methods get the quirk.
  const wrongMethod = (method: string) =>
    method === "GET" || method === "HEAD" ? new Response(null, { status: 400 }) : lateMethodNotAllowed();

  mountPlain(app, "/api/v1/runs/:runId/result", {
    get: plain(gates, "Invalid or Missing API Key", (call) => {
      const run = find(call);
      const result = run && runResult(run);
      if (result === undefined) return error(404, "Run either doesn't exist or is not finished");
      return Response.json(result);
    }),
    otherwise: () => error(405, "Method not allowed", { allow: "GET" }),
    failure,
  });

  mountPlain(app, "/api/v1/runs/:runId/tags", {
    post: plain(gates, "Invalid or Missing API Key", async (call) => {
      const body = TagsBody.safeParse(await jsonOf(call.request));
      if (!body.success) {
        return Response.json({ error: "Invalid request body", issues: body.error.issues }, { status: 400 });
      }
      const run = find(call);
      return run === undefined ? error(404, "Run not found") : addTags(engine, run, [body.data.tags].flat());
    }),
    otherwise: wrongMethod,
    failure,
  });

  mountPlain(app, "/api/v1/runs/:runId/reschedule", {
    post: plain(gates, "Invalid or missing API Key", async (call) => {
      const json = await jsonOf(call.request).catch(() => NOT_JSON);
      if (json === NOT_JSON) return plainServerError();
      const body = DelayBody.safeParse(json);
      if (!body.success) return error(400, "Invalid request body");
      const run = find(call);
      return run === undefined
        ? error(404, "Run not found")
        : reschedule(deps, call.request, run, body.data.delay);
    }),
    otherwise: wrongMethod,
    failure,
  });
}

const NOT_JSON = Symbol("not JSON");

/** Blank tags are dropped; duplicates within one request are not collapsed when counting. */
function addTags(engine: Engine, run: StoredRun, given: string[]): Response {
  const fresh = given.filter((tag) => tag.trim() !== "" && !run.tags.includes(tag));
  if (fresh.length === 0) return Response.json({ message: "No new tags to add" });
  const total = run.tags.length + fresh.length;
  if (total > MAX_TAGS) {
    const unset = fresh.map((tag) => `'${tag}'`).join(", ");
    return error(
      422,
      `Runs can only have ${MAX_TAGS} tags, you're trying to set ${total}. These tags have not been set: ${unset}.`,
    );
  }
  engine.setTags(run, [...new Set([...run.tags, ...fresh])]);
  return Response.json({ message: `Successfully set ${fresh.length} new tags.` });
}

function reschedule(
  { engine, packets, now }: RunPlainDeps,
  request: Request,
  run: StoredRun,
  delay: string | number,
): Response {
  const delayUntil = parseDelay(delay, now());
  if (delayUntil === undefined) return error(400, `Invalid delay: ${delay}`);
  if (run.status !== "DELAYED") return error(400, "Cannot reschedule a run that is not delayed");
  try {
    const moved = engine.reschedule(run, delayUntil);
    return Response.json(
      runDetail(moved, engine.runs, vocabularyOf(request.headers), (field) =>
        packets.linkTo(request, moved, field),
      ),
    );
  } catch (thrown) {
    if (thrown instanceof EngineRefusal) return error(400, thrown.message);
    throw thrown;
  }
}
