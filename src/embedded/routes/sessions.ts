/** Sessions over HTTP, contract api.md 4. */
import type { Hono } from "hono";
import type { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { EnvironmentPrincipal, Resource } from "../auth/principal.ts";
import type { SignedUrls } from "../auth/signed-urls.ts";
import { mintPublicToken } from "../auth/tokens.ts";
import type { Sessions } from "../engine/sessions.ts";
import { readTranscript, snapshotKey } from "../engine/snapshots.ts";
import { EngineRefusal } from "../engine/types.ts";
import type { Objects } from "../store/objects.ts";
import { canonicalKey, friendlyId, type SessionFilter, type StoredSession } from "../store/sessions.ts";
import { action, type Call, loader, route } from "./builder.ts";
import { RouteFailure } from "./plain.ts";
import { error } from "./replies.ts";
import { CloseBody, CreateBody, EndBody, ListQuery, TranscriptQuery, UpdateBody } from "./session-inputs.ts";
import { listed, presentSession } from "./session-presenter.ts";

export interface SessionRouteDeps {
  gates: Gates;
  sessions: Sessions;
  objects: Objects;
  signedUrls: SignedUrls;
}

type AnyCall = Call<EnvironmentPrincipal>;

const BODY_LIMIT = 32_768;
const SMALL_BODY_LIMIT = 1_024;

export function sessionRoutes(app: Hono, deps: SessionRouteDeps): void {
  route(app, "/api/v1/sessions", { cors: true, loader: list(deps), action: create(deps) });
  route(app, "/api/v1/sessions/:session", { cors: true, loader: retrieve(deps), action: update(deps) });
  route(app, "/api/v1/sessions/:session/close", { cors: true, action: close(deps) });
  route(app, "/api/v1/sessions/:session/end-and-continue", { cors: true, action: endAndContinue(deps) });
  route(app, "/api/v1/sessions/:session/snapshot-url", {
    loader: loader(
      {
        gate: deps.gates.keysAndTokens,
        find: (call) => found(deps)(call),
        authorize: (call, session) => ({ action: "read", anyOf: formsOf(call, session) }),
      },
      ({ request, principal, resource }) => snapshotUrl(deps, request, principal, resource),
    ),
    action: action(
      {
        gate: deps.gates.keysAndTokens,
        method: "PUT",
        find: (call) => found(deps)(call),
        authorize: (call, session) => ({ action: "write", anyOf: formsOf(call, session) }),
      },
      ({ request, principal, resource }) => snapshotUrl(deps, request, principal, resource),
    ),
  });
  route(app, "/api/v1/sessions/:session/transcript", { loader: transcript(deps) });
}

/** 4.2 */
const create = ({ gates, sessions }: SessionRouteDeps) =>
  action(
    {
      gate: gates.keysAndTokens,
      method: "POST",
      maxBody: BODY_LIMIT,
      body: CreateBody,
      authorize: ({ body }) => ({
        action: "write",
        anyOf: [{ type: "tasks", id: body.taskIdentifier }, { type: "sessions" }],
      }),
    },
    ({ principal: { environment }, body }) =>
      refusable(async () => {
        const { taskIdentifier, ...start } = body;
        const { session, run, created } = sessions.create(environment, { task: taskIdentifier, ...start });
        const key = canonicalKey(session);
        const scopes = [`read:sessions:${key}`, `write:sessions:${key}`];
        const answer = {
          ...presentSession(session),
          runId: run.friendlyId,
          publicAccessToken: await mintPublicToken(environment, { scopes }, "1h"),
          isCached: !created,
          ...(run.status === "PENDING_VERSION" && { pendingVersion: true }),
        };
        return Response.json(answer, { status: created ? 201 : 200 });
      }),
  );

/** 4.3: one value per filter; commas are part of it. */
const list = ({ gates, sessions }: SessionRouteDeps) =>
  loader(
    {
      gate: gates.keysAndTokens,
      query: ListQuery,
      authorize: ({ query }) => {
        const all: Resource[] = [{ type: "sessions" }, { type: "tasks" }];
        const task = query["filter[taskIdentifier]"];
        return task === undefined
          ? { action: "read", anyOf: all }
          : { action: "read", every: [{ type: "tasks", id: task }], or: all };
      },
    },
    ({ principal, query }) => {
      const { rows, older, newer } = sessions.list(principal.environment, filterOf(query), {
        size: query["page[size]"],
        ...(query["page[after]"] && { after: query["page[after]"] }),
        ...(query["page[before]"] && { before: query["page[before]"] }),
      });
      const [first, last] = [rows[0], rows.at(-1)];
      const pagination = {
        ...(older && last && { next: last.id }),
        ...(newer && first && { previous: first.id }),
      };
      return Response.json({ data: rows.map(listed), pagination });
    },
  );

/** 4.4 */
const retrieve = (deps: SessionRouteDeps) =>
  loader(
    {
      gate: deps.gates.keysAndTokens,
      find: (call) => found(deps)(call),
      authorize: (_, session) => ({ action: "read", anyOf: rowForms(session) }),
    },
    ({ resource }) => Response.json(presentSession(resource)),
  );

/** 4.5 */
const update = (deps: SessionRouteDeps) =>
  action(
    {
      gate: deps.gates.keysAndTokens,
      method: "PATCH",
      maxBody: BODY_LIMIT,
      body: UpdateBody,
      authorize: (call) => ({ action: "admin", anyOf: [asWritten(call)] }),
    },
    (call) => {
      const session = found(deps)(call);
      if (session === undefined) return error(404, "Session not found");
      const { externalId, tags, metadata } = call.body;
      if (externalId !== undefined && externalId !== (session.externalId ?? null)) {
        return error(
          422,
          "externalId cannot be changed after creation; close this session and create a new one with the desired externalId",
        );
      }
      const change = { ...(tags && { tags }), ...(metadata !== undefined && { metadata }) };
      return Response.json(presentSession(deps.sessions.update(session, change)));
    },
  );

/** 4.6 */
const close = (deps: SessionRouteDeps) =>
  action(
    {
      gate: deps.gates.keysAndTokens,
      method: "POST",
      maxBody: SMALL_BODY_LIMIT,
      body: CloseBody,
      authorize: (call) => ({ action: "admin", anyOf: [asWritten(call)] }),
    },
    (call) => {
      const session = found(deps)(call);
      if (session === undefined) return error(404, "Session not found");
      return Response.json(presentSession(deps.sessions.close(session, call.body.reason)));
    },
  );

/** 4.7 */
const endAndContinue = (deps: SessionRouteDeps) =>
  action(
    {
      gate: deps.gates.keysAndTokens,
      method: "POST",
      maxBody: SMALL_BODY_LIMIT,
      body: EndBody,
      find: (call) => found(deps)(call),
      authorize: (call, session) => ({ action: "write", anyOf: formsOf(call, session) }),
    },
    ({ principal: { environment }, body, resource: session }) =>
      refusable(async () => {
        const { run, swapped } = deps.sessions.endAndContinue(environment, session, body.callingRunId);
        const waits = run.status === "PENDING_VERSION";
        return Response.json({ runId: run.friendlyId, swapped, ...(waits && { pendingVersion: true }) });
      }),
  );

/** 4.8 */
function snapshotUrl(
  { signedUrls }: SessionRouteDeps,
  request: Request,
  { environment }: EnvironmentPrincipal,
  session: StoredSession,
): Response {
  const path = `/packets/objects/${encodeURIComponent(snapshotKey(environment, session))}`;
  const method = request.method === "PUT" ? "PUT" : "GET";
  return Response.json({ presignedUrl: signedUrls.sign(new URL(request.url).origin, method, path) });
}

/** 4.9 */
const transcript = (deps: SessionRouteDeps) =>
  loader(
    {
      gate: deps.gates.keys,
      query: TranscriptQuery,
      find: (call) => found(deps)(call),
      authorize: (_, session) => ({ action: "read", anyOf: rowForms(session) }),
    },
    ({ principal, query, resource }) => {
      const page = readTranscript(deps.objects, principal.environment, resource, query);
      return page === undefined ? error(404, "Not found") : Response.json(page);
    },
  );

const found =
  ({ sessions }: SessionRouteDeps) =>
  ({ principal, params }: AnyCall): StoredSession | undefined =>
    sessions.find(principal.environment, params.session ?? "");

const asWritten = ({ params }: AnyCall): Resource => ({ type: "sessions", id: params.session ?? "" });

const rowForms = (session: StoredSession): Resource[] =>
  [friendlyId(session), canonicalKey(session)].map((id) => ({ type: "sessions", id }));

const formsOf = (call: AnyCall, session: StoredSession | undefined): Resource[] =>
  session === undefined ? [asWritten(call)] : [asWritten(call), ...rowForms(session)];

function filterOf(query: z.output<typeof ListQuery>): SessionFilter {
  const period = query["filter[createdAt][period]"];
  const from = query["filter[createdAt][from]"] ?? (period === undefined ? undefined : Date.now() - period);
  const entries = {
    type: query["filter[type]"],
    tag: query["filter[tags]"],
    task: query["filter[taskIdentifier]"],
    externalId: query["filter[externalId]"],
    status: query["filter[status]"],
    from,
    to: query["filter[createdAt][to]"],
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

/** What the engine refuses becomes its status; anything else is the contract's 500. */
async function refusable(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof EngineRefusal) return error(thrown.status, thrown.message);
    throw new RouteFailure(thrown, error(500, "Something went wrong"));
  }
}
