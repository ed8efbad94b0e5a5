/** A run's metadata: read (plain) and update (builder) on one path, contract api.md 1.7 and 2.2. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { Engine, StoredRun } from "../engine/types.ts";
import { action, route } from "./builder.ts";
import {
  applyOperations,
  type Metadata,
  type MetadataOperation,
  MetadataOperations,
} from "./metadata-operations.ts";
import { plain, RouteFailure } from "./plain.ts";
import { error, plainServerError } from "./replies.ts";
import { isFinal } from "./status.ts";

const BODY_LIMIT = 2 * 1024 * 1024;
export const METADATA_LIMIT = 262_144;
/** How long after its end a run's metadata may still change. */
const LATE_MS = 3_600_000;

const Body = z.object({
  metadata: z.record(z.string(), z.unknown()).optional(),
  operations: MetadataOperations.optional(),
  parentOperations: MetadataOperations.optional(),
  rootOperations: MetadataOperations.optional(),
});

export interface MetadataDeps {
  gates: Gates;
  engine: Engine;
  now(): number;
}

export function metadataRoutes(app: Hono, { gates, engine, now }: MetadataDeps): void {
  const read = plain(gates, "Invalid or Missing API Key", ({ principal, params }) => {
    const run = engine.runs.find(principal.environment.id, params.runId ?? "");
    if (run === undefined) return error(404, "Run not found");
    return Response.json({ metadata: run.metadata ?? null, metadataType: run.metadataType });
  });

  const update = action(
    { gate: gates.keys, method: "PUT", maxBody: BODY_LIMIT, body: Body },
    ({ principal, params, body }) => {
      const run = engine.runs.find(principal.environment.id, params.runId ?? "");
      if (run === undefined) return error(404, "Task Run not found");
      if (isFinal(run.status) && (run.completedAt ?? run.updatedAt) < now() - LATE_MS) {
        return error(422, "Cannot update metadata for a completed run");
      }
      const { operations, metadata } = body;
      const next = operations ? applyOperations(metadataOf(run), operations) : metadata;
      if (next !== undefined && !fits(next)) {
        return error(413, `Metadata exceeds maximum size of ${METADATA_LIMIT} bytes`);
      }
      if (next !== undefined) engine.setMetadata(run, JSON.stringify(next));
      // Last, since the answer speaks of the run before its relatives' operations, even when those land on it.
      applyTo(engine, relative(engine, run, run.parentId), body.parentOperations);
      applyTo(engine, relative(engine, run, run.rootId), body.rootOperations);
      return Response.json({ metadata: next ?? {} });
    },
  );

  route(app, "/api/v1/runs/:runId/metadata", {
    loader: async (request, params) => {
      try {
        return await read(request, params);
      } catch (thrown) {
        throw new RouteFailure(thrown, plainServerError());
      }
    },
    action: update,
  });
}

const metadataOf = (run: StoredRun): Metadata =>
  run.metadata === undefined ? {} : (JSON.parse(run.metadata) as Metadata);

const fits = (metadata: Metadata): boolean => Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_LIMIT;

/** The run with that internal id, or the run itself when it has none. */
const relative = (engine: Engine, run: StoredRun, id: string | undefined): StoredRun =>
  (id === undefined ? undefined : engine.runs.byInternalId(id)) ?? run;

/** Operations for a relative: what does not fit is dropped, since the caller is not there to be told. */
function applyTo(engine: Engine, run: StoredRun, operations: MetadataOperation[] | undefined): void {
  if (operations === undefined || operations.length === 0) return;
  const next = applyOperations(metadataOf(engine.runs.byInternalId(run.id) ?? run), operations);
  if (fits(next)) engine.setMetadata(run, JSON.stringify(next));
}
