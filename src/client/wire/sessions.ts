/** Sessions off the wire, contract api.md 4.1 and 4.9. */
import { z } from "zod";
import type { Session, StartedSession } from "../../domain/session.ts";
import type { Transcript } from "../api.ts";
import { compact, instant, maybe, orElse, record, strings } from "./fields.ts";
import { pageOf } from "./runs.ts";

const triggerConfig = z
  .object({
    basePayload: orElse(record, {}),
    machine: maybe(z.string()),
    queue: maybe(z.string()),
    tags: maybe(strings),
    maxAttempts: maybe(z.number()),
    maxDuration: maybe(z.number()),
    lockToVersion: maybe(z.string()),
    region: maybe(z.string()),
    idleTimeoutInSeconds: maybe(z.number()),
    concurrency: maybe(strings),
    concurrencyKey: maybe(z.string()),
    externalDeploymentId: maybe(z.string()),
    ttl: maybe(z.union([z.string(), z.number()])),
  })
  .transform((config) => compact(config));

const sessionFields = z.object({
  id: z.string().min(1),
  externalId: maybe(z.string()),
  type: z.string(),
  taskIdentifier: z.string(),
  triggerConfig: maybe(triggerConfig),
  currentRunId: maybe(z.string()),
  tags: orElse(strings, []),
  metadata: maybe(record),
  closedAt: maybe(instant),
  closedReason: maybe(z.string()),
  expiresAt: maybe(instant),
  createdAt: instant,
  updatedAt: maybe(instant),
});

const toSession = ({ taskIdentifier, updatedAt, ...wire }: z.output<typeof sessionFields>): Session =>
  compact({ ...wire, task: taskIdentifier, updatedAt: updatedAt ?? wire.createdAt });

export const session = sessionFields.transform(toSession);
export const sessionPage = pageOf(session);

/** 4.2; whether it is new is told by the status (201), which the caller knows. */
export const startedSession = sessionFields
  .extend({ runId: z.string(), publicAccessToken: z.string(), isCached: maybe(z.boolean()) })
  .transform(
    ({
      runId,
      publicAccessToken,
      isCached,
      ...fields
    }): Omit<StartedSession, "created"> & { isCached?: boolean } => ({
      ...toSession(fields),
      runId,
      publicAccessToken,
      ...(isCached !== undefined && { isCached }),
    }),
  );

const cursor = maybe(z.union([z.string(), z.number().transform(String)]));

export const transcript = z
  .looseObject({
    messages: z.array(record),
    cursors: maybe(z.looseObject({ lastOutEventId: cursor, lastInEventId: cursor })),
    nextCursor: cursor,
  })
  .transform(
    ({ messages, cursors, nextCursor }): Transcript =>
      compact({
        messages,
        lastOut: cursors?.lastOutEventId,
        lastIn: cursors?.lastInEventId,
        next: nextCursor,
      }),
  );
