/** Streams of a run, the older sibling of session channels: contract api.md 3.3, always in stream version v2. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { EnvironmentPrincipal } from "../auth/principal.ts";
import { dataRecord } from "../engine/channels.ts";
import type { Engine, StoredRun } from "../engine/types.ts";
import { type ChannelAddress, RECORD_LIMIT, RecordTooLarge } from "../store/channels.ts";
import { readText } from "./body.ts";
import { action, type Call, loader, route } from "./builder.ts";
import { readRunCheck } from "./run-reads.ts";
import { isFinal } from "./status.ts";
import { type StreamDeps, streamAnswer } from "./stream-answer.ts";

const APPEND_LIMIT = 524_288;
const Input = z.object({ data: z.unknown() });

export interface RunStreamDeps extends StreamDeps {
  gates: Gates;
  engine: Engine;
}

type RunCall = Pick<Call<EnvironmentPrincipal>, "principal" | "params">;

/** A named channel of the run's own; the slash keeps it apart from any a session could name. */
const addressOf = (run: StoredRun, io: "in" | "out", name = ""): ChannelAddress => ({
  environmentId: run.environmentId,
  key: run.friendlyId,
  io,
  channel: `run/${name}`,
});

export function runStreamRoutes(app: Hono, deps: RunStreamDeps): void {
  const { gates, engine, channels } = deps;
  const find = ({ principal, params }: RunCall) =>
    engine.runs.find(principal.environment.id, params.runId ?? "");

  const subscribe = (io: "in" | "out") =>
    loader(
      { gate: gates.keysAndTokens, find, authorize: (_: unknown, run: StoredRun) => readRunCheck(run) },
      ({ request, params, resource: run }) => {
        if (request.method === "HEAD") return new Response(null, { headers: { "X-Last-Chunk-Index": "0" } });
        return streamAnswer(deps, request, addressOf(run, io, params.streamId));
      },
    );

  route(app, "/realtime/v1/streams/:runId/:streamId", { cors: true, loader: subscribe("out") });

  route(app, "/realtime/v1/streams/:runId/:target{self|parent|root}/:streamId/append", {
    cors: true,
    action: action({ gate: gates.keys, method: "POST", maxBody: APPEND_LIMIT }, async (call) => {
      const run = find(call);
      const target = run && targetOf(engine, run, call.params.target);
      if (target === undefined) return new Response("Target not found", { status: 404 });
      if (isFinal(target.status)) {
        return new Response("Cannot append to a realtime stream on a completed run", { status: 400 });
      }
      const text = await readText(call.request, APPEND_LIMIT);
      if (text === undefined) return new Response("Request body too large", { status: 413 });
      const partId = call.request.headers.get("x-part-id") || undefined;
      return appending(() =>
        channels.append(addressOf(target, "out", call.params.streamId), dataRecord(text, partId), partId),
      );
    }),
  });

  route(app, "/realtime/v1/streams/:runId/input/:streamId", {
    cors: true,
    loader: subscribe("in"),
    action: action(
      {
        gate: gates.keysAndTokens,
        method: "POST",
        maxBody: RECORD_LIMIT,
        body: Input,
        authorize: ({ params }) => ({
          action: "write",
          anyOf: [{ type: "inputStreams", id: params.runId ?? "" }],
        }),
      },
      ({ principal, params, body }) => {
        const run = find({ principal, params });
        if (run === undefined) return refuse(404, "Run not found");
        if (isFinal(run.status)) return refuse(400, "Cannot send to input stream on a completed run");
        return appending(() =>
          channels.append(addressOf(run, "in", params.streamId), dataRecord(body.data ?? null)),
        );
      },
    ),
  });
}

function targetOf(engine: Engine, run: StoredRun, target = "self"): StoredRun | undefined {
  if (target === "self") return run;
  const id = target === "parent" ? run.parentId : run.rootId;
  return id === undefined ? undefined : engine.runs.byInternalId(id);
}

function appending(append: () => unknown): Response {
  try {
    append();
    return Response.json({ ok: true });
  } catch (thrown) {
    if (thrown instanceof RecordTooLarge) return refuse(413, thrown.message);
    throw thrown;
  }
}

const refuse = (status: number, message: string): Response =>
  Response.json({ ok: false, error: message }, { status });
