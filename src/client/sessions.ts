/** The sessions area, contract api.md 4. */
import { z } from "zod";
import { isTriggerError } from "../domain/errors.ts";
import type { SessionStart } from "../domain/session.ts";
import type { SessionsApi } from "./api.ts";
import type { Caller, CallRequest } from "./caller.ts";
import { type ApiPath, apiPath } from "./path.ts";
import { sessionListQuery } from "./query.ts";
import { parseAnswer, unexpected } from "./wire/answer.ts";
import { session, sessionPage, startedSession, transcript } from "./wire/sessions.ts";
import { readSnapshot } from "./wire/snapshot.ts";

const SNAPSHOT_LIMIT = 32 * 1024 * 1024;
/** Without an object store the server answers 500 for good (4.8): one more try is enough. */
const SNAPSHOT_ATTEMPTS = 2;

const READ = ["read:sessions"];
const WRITE = ["write:sessions"];
const ADMIN = ["admin:sessions"];

export function sessionsApi(caller: Caller): SessionsApi {
  const read = (path: ApiPath, query?: Record<string, string>): CallRequest => ({
    method: "GET",
    path,
    need: READ,
    repeat: "always",
    ...(query && { query }),
  });

  return {
    async create(start, options) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/sessions`,
        body: JSON.stringify(createBody(start)),
        need: WRITE,
        repeat: start.externalId === undefined ? "never" : "always",
      };
      const answer = await caller.send(request, options);
      const { isCached, ...started } = parseAnswer(request, answer, startedSession);
      return { ...started, created: isCached === undefined ? answer.status === 201 : !isCached };
    },

    list: (query, options) =>
      caller.ask(read(apiPath`/api/v1/sessions`, sessionListQuery(query)), sessionPage, options),

    retrieve: (id, options) => caller.ask(read(apiPath`/api/v1/sessions/${id}`), session, options),

    update(id, change, options) {
      const request: CallRequest = {
        method: "PATCH",
        path: apiPath`/api/v1/sessions/${id}`,
        body: JSON.stringify(change),
        need: ADMIN,
        repeat: "always",
      };
      return caller.ask(request, session, options);
    },

    close(id, reason, options) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/sessions/${id}/close`,
        body: JSON.stringify(reason === undefined ? {} : { reason }),
        need: ADMIN,
        repeat: "always",
      };
      return caller.ask(request, session, options);
    },

    async endAndContinue(id, change, options) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/sessions/${id}/end-and-continue`,
        body: JSON.stringify(change),
        need: WRITE,
        repeat: "never",
      };
      const answer = z.looseObject({ runId: z.string(), swapped: z.boolean() });
      const { runId, swapped } = await caller.ask(request, answer, options);
      return { runId, swapped };
    },

    async snapshot(id, options) {
      const request: CallRequest = {
        ...read(apiPath`/api/v1/sessions/${id}/snapshot-url`),
        attempts: SNAPSHOT_ATTEMPTS,
      };
      const link = await snapshotLink(caller, request, options);
      if (link === undefined) return undefined;
      const text = await caller.pipeline.download(link, SNAPSHOT_LIMIT, options);
      if (text === undefined) return undefined;
      const stored = readSnapshot(text);
      if (stored === undefined) throw unexpected(request, "a snapshot of an unknown version");
      return stored;
    },

    async transcript(id, page = {}, options) {
      // Secret keys only (4.9), and not worth fetching one for: the snapshot says the same.
      const { kind } = caller.credentials.access;
      if (kind === "public" || kind === "personal") return undefined;
      const query = {
        ...(page.limit !== undefined && { limit: String(page.limit) }),
        ...(page.before !== undefined && { before: page.before }),
      };
      try {
        const request = read(apiPath`/api/v1/sessions/${id}/transcript`, query);
        return await caller.ask(request, transcript, options);
      } catch (error) {
        if (isTriggerError(error) && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

async function snapshotLink(
  caller: Caller,
  request: CallRequest,
  options: Parameters<Caller["send"]>[1],
): Promise<string | undefined> {
  try {
    const answer = z.looseObject({ presignedUrl: z.string() });
    return (await caller.ask(request, answer, options)).presignedUrl;
  } catch (error) {
    if (isTriggerError(error) && /object store is not configured/i.test(error.said ?? "")) return undefined;
    throw error;
  }
}

function createBody({ task, expiresAt, ...start }: SessionStart) {
  return {
    ...start,
    taskIdentifier: task,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
