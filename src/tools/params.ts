/**
 * The arguments tools share: the same thing is always called the same and always means the same. Words are paid for
 * in every conversation, so a name that says it all gets no description.
 */
import { z } from "zod";
import { RUN_STATUSES } from "../domain/status.ts";

const oneOrMany = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).min(1)]);

export const runId = z.string().min(1).max(200);
export const spanId = z.string().min(1).max(64).describe("or a unique prefix");
/** `session_…` or the external id. */
export const session = z.string().min(1).max(256).describe("session_… or external id");
export const task = z.string().min(1).max(128);
export const tasks = oneOrMany(task);
export const texts = oneOrMany(z.string().min(1));
export const runStatus = oneOrMany(z.enum(RUN_STATUSES));
export const tags = z.array(z.string().min(1).max(128)).min(1).max(10);
export const period = z.string().describe("e.g. 1h, 7d");
/** ISO date or epoch milliseconds. */
export const instant = z.union([z.string(), z.number()]);
export const limit = z.int().min(1).max(100);
export const cursor = z.string().min(1).max(500);
export const json = z.unknown();
export const object = z.record(z.string(), z.unknown());
export const timeoutSeconds = z.int().min(1).max(600);
export const io = z.enum(["in", "out"]);
export const channel = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/)
  .describe("a named side channel");
/** Position of a record: digits. */
export const position = z.union([z.string().regex(/^\d+$/), z.int().min(0)]);

/** Every tool has it; the pipeline adds it. */
export const maxTokens = z.int().min(200).max(20_000).default(2_000);

/** One or many, as many. */
export const asList = <T>(value: T | T[] | undefined): T[] | undefined =>
  value === undefined ? undefined : Array.isArray(value) ? value : [value];
