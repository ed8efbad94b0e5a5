/** What session routes accept, contract api.md 0.7 and 4. */
import { z } from "zod";
import { SESSION_STATUSES } from "../../domain/status.ts";
import { parseDuration } from "../engine/duration.ts";
import { ConcurrencyKey, ConcurrencyLimits, Machine, Ttl } from "./run-options.ts";

/** Text that can be stored and found again: SQLite keeps neither NUL characters nor half surrogate pairs. */
const text = (max: number, min = 1) =>
  z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !value.includes("\u0000") && !/\p{Surrogate}/u.test(value), "Invalid characters");

const tags = (max: number) => z.array(z.string().max(128)).max(max);
const metadata = z.record(z.string(), z.unknown());
const externalId = z
  .string()
  .trim()
  .pipe(text(256))
  .refine((value) => !value.startsWith("session_"), "externalId cannot start with 'session_'");

const TriggerConfig = z.object({
  basePayload: z.record(z.string(), z.unknown()),
  machine: Machine.exactOptional(),
  queue: z.string().max(128).exactOptional(),
  tags: tags(10).exactOptional(),
  maxAttempts: z.int().min(1).max(10).exactOptional(),
  maxDuration: z.int().min(1).exactOptional(),
  lockToVersion: z.string().exactOptional(),
  region: z.string().exactOptional(),
  idleTimeoutInSeconds: z.int().min(1).max(3600).exactOptional(),
  concurrency: ConcurrencyLimits.exactOptional(),
  concurrencyKey: ConcurrencyKey.exactOptional(),
  externalDeploymentId: z.string().exactOptional(),
  ttl: Ttl.exactOptional(),
});

export const CreateBody = z.object({
  type: text(64),
  taskIdentifier: text(128),
  triggerConfig: TriggerConfig,
  externalId: externalId.exactOptional(),
  tags: tags(10).exactOptional(),
  metadata: metadata.exactOptional(),
  expiresAt: z.coerce
    .date()
    .transform((date) => date.getTime())
    .exactOptional(),
});

export const UpdateBody = z.object({
  tags: tags(10).exactOptional(),
  metadata: metadata.nullable().exactOptional(),
  externalId: externalId.nullable().exactOptional(),
});

export const CloseBody = z.object({
  reason: text(256, 0).exactOptional(),
  callingRunId: z.string().optional(),
});

export const EndBody = z.object({ callingRunId: z.string().min(1), reason: z.string().max(64) });

export const ListQuery = z
  .object({
    "page[size]": z.coerce.number().int().min(1).max(100).default(20),
    "page[after]": z.string().exactOptional(),
    "page[before]": z.string().exactOptional(),
    "filter[type]": z.string().exactOptional(),
    "filter[tags]": z.string().exactOptional(),
    "filter[taskIdentifier]": z.string().exactOptional(),
    "filter[externalId]": z.string().exactOptional(),
    "filter[status]": z.enum(SESSION_STATUSES).exactOptional(),
    "filter[createdAt][period]": z
      .string()
      .transform((period, context) => {
        const duration = parseDuration(period);
        if (duration === undefined) context.addIssue({ code: "custom", message: "Invalid duration" });
        return duration ?? 0;
      })
      .exactOptional(),
    "filter[createdAt][from]": z.coerce.number().int().exactOptional(),
    "filter[createdAt][to]": z.coerce.number().int().exactOptional(),
  })
  .refine((query) => !(query["page[after]"] && query["page[before]"]), {
    message: "Cannot pass both page[after] and page[before] on the same request",
    path: ["page[before]"],
  });

export const TranscriptQuery = z.object({
  limit: z.coerce.number().int().min(1).exactOptional(),
  before: z.string().exactOptional(),
});
