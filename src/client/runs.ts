/** The runs area, contract api.md 1 and 2. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import type { MetadataOperation, Run, TriggerOptions } from "../domain/run.ts";
import type { CallOptions, RunsApi } from "./api.ts";
import type { Caller, CallRequest } from "./caller.ts";
import { apiPath } from "./path.ts";
import { runListQuery } from "./query.ts";
import { fetchTrace } from "./trace.ts";
import { parseJson, unexpected } from "./wire/answer.ts";
import { readEvents, spanDetail } from "./wire/events.ts";
import { compact, orElse, record } from "./wire/fields.ts";
import { decodePacket, runDetail, runPage, runResult } from "./wire/runs.ts";
import { Misfit } from "./wire/trace.ts";

/** Offloaded payloads start at 512 KiB and are made in requests of at most 3 MiB; outputs can be larger. */
const PACKET_LIMIT = 16 * 1024 * 1024;
const EVENTS_LIMIT = 128 * 1024 * 1024;

const READ = ["read:runs"];

export function runsApi(caller: Caller): RunsApi {
  const read = (path: CallRequest["path"]): CallRequest => ({
    method: "GET",
    path,
    need: READ,
    repeat: "always",
  });

  /** Values stored out of line are brought in; one that cannot be had stays a link, which callers never show. */
  async function withPackets(run: Run, options?: CallOptions): Promise<Run> {
    const [payload, output] = await Promise.all([
      packet(run.payloadPresignedUrl, options),
      packet(run.outputPresignedUrl, options),
    ]);
    const whole = { ...run };
    if (payload) {
      whole.payload = payload.value;
      delete whole.payloadPresignedUrl;
    }
    if (output) {
      whole.output = output.value;
      delete whole.outputPresignedUrl;
    }
    return whole;
  }

  async function packet(url?: string, options?: CallOptions): Promise<{ value: unknown } | undefined> {
    if (url === undefined) return undefined;
    try {
      const text = await caller.pipeline.download(url, PACKET_LIMIT, options);
      return text === undefined ? undefined : { value: decodePacket(text) };
    } catch (error) {
      if (isTriggerError(error) && error.code !== "cancelled") return undefined;
      throw error;
    }
  }

  return {
    list(query, options) {
      return caller.ask({ ...listRequest(caller), query: listQuery(caller, query) }, runPage, options);
    },

    async retrieve(id, options) {
      const run = await caller.ask(read(apiPath`/api/v3/runs/${id}`), runDetail, options);
      return withPackets(run, options);
    },

    trace: (id, options) => fetchTrace(caller, id, options),

    async events(id, options) {
      const request = { ...read(apiPath`/api/v1/runs/${id}/events`), slow: true, limit: EVENTS_LIMIT };
      const body = parseJson(request, (await caller.send(request, options)).text);
      try {
        return readEvents(body);
      } catch (error) {
        throw error instanceof Misfit ? unexpected(request, error.message) : error;
      }
    },

    span(id, spanId, options) {
      return caller.ask(read(apiPath`/api/v1/runs/${id}/spans/${spanId}`), spanDetail, options);
    },

    async result(id, options) {
      const request: CallRequest = { ...read(apiPath`/api/v1/runs/${id}/result`), need: "secret" };
      try {
        return await caller.ask(request, runResult, options);
      } catch (error) {
        if (isTriggerError(error) && error.code === "not_found") return undefined;
        throw error;
      }
    },

    async metadata(id, options) {
      const request: CallRequest = { ...read(apiPath`/api/v1/runs/${id}/metadata`), need: "secret" };
      return (await caller.ask(request, storedMetadata, options)).metadata;
    },

    async addTags(id, tags, options) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/runs/${id}/tags`,
        body: JSON.stringify({ tags }),
        need: "secret",
        repeat: "always",
      };
      const { message } = await caller.ask(request, z.looseObject({ message: z.string() }), options);
      return { added: Number(/\d+/.exec(message)?.[0] ?? 0) };
    },

    async updateMetadata(id, update, options) {
      const request: CallRequest = {
        method: "PUT",
        path: apiPath`/api/v1/runs/${id}/metadata`,
        body: JSON.stringify(update),
        need: "secret",
        repeat: "operations" in update && !update.operations.every(isRepeatable) ? "never" : "always",
      };
      const { metadata } = await caller.ask(request, metadataAnswer, options);
      if (metadata !== undefined) return metadata;
      throw new TriggerError("conflict", "Others kept writing this run's metadata; nothing was written.", {
        request: `${request.method} ${request.path}`,
        retryable: true,
      });
    },

    async cancel(id, options) {
      const path = apiPath`/api/v2/runs/${id}/cancel`;
      await caller.send({ method: "POST", path, need: ["write:runs"], repeat: "always" }, options);
    },

    replay(id, overrides, options) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/runs/${id}/replay`,
        need: "secret",
        repeat: "never",
        ...replayBody(overrides),
      };
      return caller.ask(request, z.looseObject({ id: z.string() }).transform(onlyId), options);
    },

    async reschedule(id, delay, options) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/runs/${id}/reschedule`,
        body: JSON.stringify({ delay }),
        need: "secret",
        repeat: "always",
      };
      return caller.ask(request, runDetail, options);
    },

    async trigger(task, options = {}, call) {
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/tasks/${task}/trigger`,
        headers: { "x-trigger-request-idempotency-key": randomUUID() },
        body: JSON.stringify(triggerBody(options)),
        need: ["trigger:tasks"],
        repeat: options.idempotencyKey === undefined ? "within" : "always",
      };
      const answer = z.looseObject({ id: z.string(), isCached: orElse(z.boolean(), false) });
      const { id, isCached } = await caller.ask(request, answer, call);
      return { id, isCached };
    },
  };
}

/**
 * A personal token lists through the project, except where the project form cannot tell which environment is meant:
 * developers share the slug `dev`, and preview branches share `preview` (1.1).
 */
function byProject(caller: Caller): boolean {
  const { environment } = caller.context;
  return caller.credentials.access.kind === "personal" && environment !== "dev" && environment !== "preview";
}

function listRequest(caller: Caller): CallRequest {
  const { projectRef } = caller.context;
  return byProject(caller) && projectRef !== undefined
    ? {
        method: "GET",
        path: apiPath`/api/v1/projects/${projectRef}/runs`,
        need: "own",
        repeat: "always",
      }
    : { method: "GET", path: apiPath`/api/v1/runs`, need: READ, repeat: "always" };
}

function listQuery(caller: Caller, query: Parameters<RunsApi["list"]>[0]): Record<string, string> {
  const { environment } = caller.context;
  return {
    ...runListQuery(query),
    // The stored slug, which the exchange and people spell differently.
    ...(byProject(caller) &&
      environment !== undefined && { "filter[env]": environment === "staging" ? "stg" : environment }),
  };
}

const storedMetadata = z.looseObject({
  metadata: z
    .string()
    .nullish()
    .transform((text) => (text ? decodePacket(text) : undefined))
    .pipe(record.optional()),
});

/** `{}` after the server lost its write race four times: nothing was written (2.2). */
const metadataAnswer = z.looseObject({ metadata: record.optional() });

/** `append`, `remove` and `increment` are changes on top of what is there, and would be made twice. */
const isRepeatable = ({ type }: MetadataOperation): boolean => type === "set" || type === "delete";

const onlyId = ({ id }: { id: string }) => ({ id });

/** 2.4: options flat beside the payload, and no body at all without overrides. `test` is not among them. */
function replayBody({ test, payload, ...overrides }: TriggerOptions = {}): { body?: string } {
  const body = compact({
    ...overrides,
    payload,
    payloadType: payload === undefined ? undefined : "application/json",
  });
  return Object.keys(body).length === 0 ? {} : { body: JSON.stringify(body) };
}

/** 2.6: the queue is named in an object, the metadata is JSON text, a version is a lock. */
function triggerBody({ payload, queue, metadata, version, ...options }: TriggerOptions) {
  return {
    ...(payload !== undefined && { payload }),
    options: compact({
      ...options,
      queue: queue === undefined ? undefined : { name: queue },
      lockToVersion: version,
      metadata: metadata === undefined ? undefined : JSON.stringify(metadata),
      metadataType: metadata === undefined ? undefined : "application/json",
      payloadType: payload === undefined ? undefined : "application/json",
    }),
  };
}
