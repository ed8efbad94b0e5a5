/** Session channels over HTTP, contract api.md 5 and channels.md 5 and 8. Named channels are the same without runs. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { EnvironmentPrincipal, Resource } from "../auth/principal.ts";
import { dataRecord } from "../engine/channels.ts";
import type { Sessions } from "../engine/sessions.ts";
import {
  type ChannelAddress,
  header,
  isCommand,
  RECORD_LIMIT,
  RecordTooLarge,
  type StoredRecord,
} from "../store/channels.ts";
import { canonicalKey, friendlyId, type StoredSession } from "../store/sessions.ts";
import { readText } from "./body.ts";
import { action, type Call, loader, route } from "./builder.ts";
import { recordList, withoutForgedSource } from "./channel-records.ts";
import { streamed } from "./channel-stream.ts";
import { RouteFailure } from "./plain.ts";
import { error } from "./replies.ts";
import { type StreamDeps, streamAnswer } from "./stream-answer.ts";

export interface ChannelRouteDeps extends StreamDeps {
  gates: Gates;
  sessions: Sessions;
}

/** A channel as a request names it. `session` is absent for an external id nobody has used yet. */
interface Target {
  session?: StoredSession;
  address: ChannelAddress;
  /** Every id form a scope may name it by. */
  forms: Resource[];
}

type AnyCall = Call<EnvironmentPrincipal>;

const NO_S2 = "Session channels require the S2 realtime backend";
const Params = z.object({
  session: z.string().min(1),
  io: z.enum(["in", "out"]),
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/)
    .optional(),
});
const RecordsQuery = z.object({ afterEventId: z.string().regex(/^\d+$/).optional() });

export function channelRoutes(app: Hono, deps: ChannelRouteDeps): void {
  for (const base of [
    "/realtime/v1/sessions/:session/channels/:name/:io",
    "/realtime/v1/sessions/:session/:io",
  ]) {
    route(app, base, { cors: true, loader: subscribe(deps), action: initialize(deps) });
    route(app, `${base}/append`, { cors: true, action: append(deps) });
    route(app, `${base}/records`, { cors: true, loader: records(deps) });
  }
}

/** 5.2 and 5.3 */
const subscribe = (deps: ChannelRouteDeps) =>
  loader(
    {
      gate: deps.gates.keysAndTokens,
      params: Params,
      find: (call) => readable(deps)(call),
      authorize: (_, target) => mayRead(target),
    },
    ({ request, resource: { address } }) => {
      if (request.method === "HEAD") return new Response(null, { headers: { "X-Last-Chunk-Index": "0" } });
      const peeks = address.io === "out" && request.headers.get("x-peek-settled") === "1";
      return streamAnswer(deps, request, address, peeks && isSettled(deps.channels.newest(address, 2)));
    },
  );

/** 5.1: every check of the real route; writing directly to the store is what this server does not have. */
const initialize = (deps: ChannelRouteDeps) =>
  action(
    {
      gate: deps.gates.keysAndTokens,
      method: "PUT",
      params: Params,
      authorize: ({ params }) => ({ action: "write", anyOf: [asWritten(params)] }),
    },
    (call) => {
      if (call.params.io === "out" && call.principal.kind === "public") {
        return new Response("Initializing the out channel requires secret key authentication", {
          status: 403,
        });
      }
      const target = readable(deps)(call);
      if (target === undefined) return new Response("Session not found", { status: 404 });
      if (target.session?.closedAt !== undefined) {
        return new Response("Cannot initialize a channel on a closed session", { status: 400 });
      }
      return new Response(NO_S2, { status: 501 });
    },
  );

/** 5.4 */
const append = (deps: ChannelRouteDeps) =>
  action(
    {
      gate: deps.gates.keysAndTokens,
      method: "POST",
      maxBody: RECORD_LIMIT,
      params: Params,
      find: (call) => deps.sessions.find(call.principal.environment, call.params.session ?? ""),
      authorize: ({ params }, session) => ({ action: "write", anyOf: formsOf(params, session) }),
    },
    async ({ principal, request, params, resource: session }) => {
      const refuse = (status: number, message: string) =>
        Response.json({ ok: false, error: message }, { status });
      if (params.io === "out" && principal.kind === "public") {
        return refuse(403, "Appending to the out channel requires secret key authentication");
      }
      const text = await readText(request, RECORD_LIMIT);
      if (text === undefined) return error(413, "Request body too large");
      const ended = deps.sessions.ended(session);
      if (ended === "closed") return refuse(400, "Cannot append to a closed session");
      if (ended === "expired") return refuse(400, "Cannot append to an expired session");

      const { environment } = principal;
      const address = addressOf(environment.id, canonicalKey(session), params);
      const given = request.headers.get("x-part-id") || undefined;
      const pendingVersion = params.name === undefined && runWaits(deps.sessions, environment, session);
      try {
        const appended = deps.channels.append(address, dataRecord(withoutForgedSource(text), given), given);
        return Response.json({
          ok: true,
          ...(appended && { seq: appended.seq }),
          ...(pendingVersion && { pendingVersion }),
        });
      } catch (thrown) {
        if (thrown instanceof RecordTooLarge) return refuse(413, thrown.message);
        throw new RouteFailure(thrown, refuse(500, "Something went wrong, please try again."));
      }
    },
  );

/** 5.5: streamed page by page, since an `.in` channel is never trimmed. */
const records = (deps: ChannelRouteDeps) =>
  loader(
    {
      gate: deps.gates.keysAndTokens,
      params: Params,
      query: RecordsQuery,
      find: (call) => readable(deps)(call),
      authorize: (_, target) => mayRead(target),
    },
    ({ query: { afterEventId }, resource: { address } }) => {
      const from = afterEventId === undefined ? 0 : Number(afterEventId) + 1;
      const headers = { "content-type": "application/json" };
      return new Response(
        streamed(() => recordList(deps.channels, address, from)),
        { headers },
      );
    },
  );

/** Unknown `session_…` ids are not found; an unknown external id is a channel nobody has written to. */
const readable =
  ({ sessions }: ChannelRouteDeps) =>
  ({ principal, params }: AnyCall): Target | undefined => {
    const reference = params.session ?? "";
    const session = sessions.find(principal.environment, reference);
    if (session === undefined && reference.startsWith("session_")) return undefined;
    const key = session === undefined ? reference : canonicalKey(session);
    const address = addressOf(principal.environment.id, key, params);
    return { ...(session && { session }), address, forms: formsOf(params, session) };
  };

const mayRead = ({ forms }: Target) => ({ action: "read", anyOf: forms });

function addressOf(environmentId: string, key: string, params: Record<string, string>): ChannelAddress {
  const io = params.io === "in" ? "in" : "out";
  return { environmentId, key, io, ...(params.name !== undefined && { channel: params.name }) };
}

const asWritten = (params: Record<string, string>): Resource => ({
  type: "sessions",
  id: params.session ?? "",
});

function formsOf(params: Record<string, string>, session: StoredSession | undefined): Resource[] {
  if (session === undefined) return [asWritten(params)];
  return [
    asWritten(params),
    ...[friendlyId(session), canonicalKey(session)].map((id) => ({ type: "sessions", id })),
  ];
}

/** Makes sure a live run exists; failing to does not fail the append. Whether that run waits for a version. */
function runWaits(
  sessions: Sessions,
  environment: EnvironmentPrincipal["environment"],
  session: StoredSession,
) {
  try {
    return sessions.ensureRun(environment, session).status === "PENDING_VERSION";
  } catch {
    return false;
  }
}

/** The newest of the last two records, commands aside, is a `turn-complete`. */
function isSettled(newest: StoredRecord[]): boolean {
  const record = newest.filter((candidate) => !isCommand(candidate)).at(-1);
  return record !== undefined && header(record, "trigger-control") === "turn-complete";
}
