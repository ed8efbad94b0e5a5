/** Events and single spans off the wire, contract api.md 1.4 and 1.5. */
import { z } from "zod";
import type { RunEvent, SpanDetail } from "../../domain/trace.ts";
import { compact, instant, maybe, orElse, record } from "./fields.ts";
import { isObject, Misfit, toInstant, toMilliseconds, toSpanEvents } from "./trace.ts";

/** Up to 25,000 of them, so checked by hand like a trace. */
export function readEvents(body: unknown): RunEvent[] {
  if (!isObject(body) || !Array.isArray(body.events)) throw new Misfit("no list of events");
  return body.events.map(toEvent);
}

function toEvent(wire: unknown): RunEvent {
  if (!isObject(wire) || typeof wire.spanId !== "string") throw new Misfit("an event without a span id");
  const { parentId, attemptNumber, taskSlug, kind, style } = wire;
  const event: RunEvent = {
    id: wire.spanId,
    runId: typeof wire.runId === "string" ? wire.runId : "",
    message: typeof wire.message === "string" ? wire.message : "",
    startTime: toInstant(wire.startTime),
    duration: toMilliseconds(wire.duration),
    isError: wire.isError === true,
    isPartial: wire.isPartial === true,
    isCancelled: wire.isCancelled === true,
    level: typeof wire.level === "string" ? wire.level : "TRACE",
    events: toSpanEvents(wire.events),
  };
  if (typeof parentId === "string" && parentId !== "") event.parentId = parentId;
  if (typeof attemptNumber === "number") event.attempt = attemptNumber;
  if (typeof taskSlug === "string") event.task = taskSlug;
  if (typeof kind === "string") event.kind = kind;
  if (isObject(style) && typeof style.icon === "string") event.icon = style.icon;
  return event;
}

const triggeredRun = z
  .looseObject({ runId: z.string(), taskIdentifier: z.string(), status: z.string(), createdAt: instant })
  .transform(({ runId, taskIdentifier, status, createdAt }) => ({
    runId,
    task: taskIdentifier,
    status,
    createdAt,
  }));

export const spanDetail = z
  .looseObject({
    spanId: z.string(),
    parentId: maybe(z.string()),
    runId: z.string(),
    message: z.string(),
    startTime: instant,
    durationMs: orElse(z.number(), 0),
    isError: orElse(z.boolean(), false),
    isPartial: orElse(z.boolean(), false),
    isCancelled: orElse(z.boolean(), false),
    level: orElse(z.string(), "TRACE"),
    properties: maybe(record),
    events: z.unknown().optional(),
    entityType: maybe(z.string()),
    ai: maybe(record),
    triggeredRuns: orElse(z.array(triggeredRun), []),
  })
  .transform(
    (wire): SpanDetail =>
      compact({
        id: wire.spanId,
        parentId: wire.parentId || undefined,
        runId: wire.runId,
        message: wire.message,
        startTime: wire.startTime,
        duration: wire.durationMs,
        isError: wire.isError,
        isPartial: wire.isPartial,
        isCancelled: wire.isCancelled,
        level: wire.level,
        properties: wire.properties,
        events: toSpanEvents(wire.events),
        entityType: wire.entityType,
        ai: wire.ai,
        triggeredRuns: wire.triggeredRuns,
      }),
  );
