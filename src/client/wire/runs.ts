/** Runs off the wire, contract api.md 1.1, 1.2 and 1.6. */
import { z } from "zod";
import type { Page, Run, RunFailure, RunResult, RunSummary } from "../../domain/run.ts";
import { compact, instant, maybe, orElse, record, strings } from "./fields.ts";

const summaryFields = {
  id: z.string().min(1),
  taskIdentifier: z.string(),
  status: z.string(),
  version: maybe(z.string()),
  createdAt: instant,
  updatedAt: maybe(instant),
  startedAt: maybe(instant),
  finishedAt: maybe(instant),
  delayedUntil: maybe(instant),
  expiredAt: maybe(instant),
  ttl: maybe(z.union([z.string(), z.number().transform((seconds) => `${seconds}s`)])),
  isTest: orElse(z.boolean(), false),
  tags: orElse(strings, []),
  idempotencyKey: maybe(z.string()),
  costInCents: orElse(z.number(), 0),
  baseCostInCents: orElse(z.number(), 0),
  durationMs: orElse(z.number(), 0),
  depth: orElse(z.number(), 0),
  metadata: maybe(record),
  taskKind: maybe(z.string()),
  region: maybe(z.string()),
  env: maybe(z.looseObject({ id: z.string(), name: z.string(), user: maybe(z.string()) })),
  batchId: maybe(z.string()),
  triggerFunction: maybe(z.string()),
};

const wireSummary = z.object(summaryFields);

const toSummary = ({ taskIdentifier, updatedAt, env, ...wire }: z.output<typeof wireSummary>): RunSummary =>
  compact({
    ...wire,
    task: taskIdentifier,
    updatedAt: updatedAt ?? wire.createdAt,
    env: env && compact({ id: env.id, name: env.name, user: env.user }),
  });

const summary = wireSummary.transform(toSummary);

const pagination = orElse(z.looseObject({ next: maybe(z.string()), previous: maybe(z.string()) }), {
  next: undefined,
  previous: undefined,
});

/** Both lists come in this envelope. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z
    .looseObject({ data: z.array(item), pagination })
    .transform(
      (page): Page<z.output<S>> =>
        compact({ items: page.data, next: page.pagination.next, previous: page.pagination.previous }),
    );

export const runPage = pageOf(summary);

/** Whatever a failure looks like, that there is one must not get lost. */
const failure = z
  .unknown()
  .optional()
  .transform((error): RunFailure | undefined => {
    if (error === undefined || error === null) return undefined;
    const known = failureObject.safeParse(error);
    if (known.success) return compact(known.data);
    return { message: typeof error === "string" ? error : JSON.stringify(error) };
  });

const failureObject = z.object({
  message: z.string(),
  name: maybe(z.string()),
  stackTrace: maybe(z.string()),
});

const schedule = z
  .looseObject({
    id: z.string(),
    externalId: maybe(z.string()),
    deduplicationKey: maybe(z.string()),
    generator: maybe(z.looseObject({ expression: maybe(z.string()), description: maybe(z.string()) })),
  })
  .transform(({ id, externalId, deduplicationKey, generator }) =>
    compact({
      id,
      externalId,
      deduplicationKey,
      cron: generator?.expression,
      description: generator?.description,
    }),
  );

const detail = z.object({
  ...summaryFields,
  payload: z.unknown().optional(),
  output: z.unknown().optional(),
  payloadPresignedUrl: maybe(z.string()),
  outputPresignedUrl: maybe(z.string()),
  error: failure,
  attemptCount: orElse(z.number(), 0),
  schedule: maybe(schedule),
  relatedRuns: orElse(
    z.looseObject({ root: maybe(summary), parent: maybe(summary), children: orElse(z.array(summary), []) }),
    { root: undefined, parent: undefined, children: [] },
  ),
});

export const runDetail = detail.transform(
  ({
    payload,
    output,
    payloadPresignedUrl,
    outputPresignedUrl,
    error,
    attemptCount,
    schedule,
    relatedRuns,
    ...fields
  }): Run => ({
    ...toSummary(fields),
    ...compact({ payload, output, payloadPresignedUrl, outputPresignedUrl, error, attemptCount, schedule }),
    ...compact({ root: relatedRuns.root, parent: relatedRuns.parent, children: relatedRuns.children }),
  }),
);

const resultError = z
  .looseObject({
    type: z.string(),
    name: maybe(z.string()),
    message: maybe(z.string()),
    code: maybe(z.string()),
    stackTrace: maybe(z.string()),
    raw: maybe(z.string()),
  })
  .transform(({ type, name, message, code, stackTrace, raw }) =>
    compact({ type, name, message, code, stackTrace, raw }),
  );

/** 1.6: `output` is text to be decoded as its type says. */
export const runResult = z
  .discriminatedUnion("ok", [
    z.looseObject({
      ok: z.literal(true),
      id: z.string(),
      taskIdentifier: z.string(),
      output: maybe(z.string()),
      outputType: maybe(z.string()),
    }),
    z.looseObject({ ok: z.literal(false), id: z.string(), taskIdentifier: z.string(), error: resultError }),
  ])
  .transform((wire): RunResult => {
    const { id, taskIdentifier: task } = wire;
    if (!wire.ok) return { ok: false, id, task, error: wire.error };
    const output = wire.output === undefined ? undefined : decodePacket(wire.output, wire.outputType);
    return { ok: true, id, task, ...(output !== undefined && { output }) };
  });

/** A stored value: JSON, JSON in super+json's envelope, or plain text. Text that is no JSON stays text. */
export function decodePacket(text: string, type = "application/json"): unknown {
  if (!type.includes("json")) return text;
  try {
    const value: unknown = JSON.parse(text);
    const enveloped = type.includes("super+json") && typeof value === "object" && value !== null;
    return enveloped && "json" in value ? value.json : value;
  } catch {
    return text;
  }
}
