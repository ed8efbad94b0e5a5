/** Changes a run's metadata key by key or as a whole: contract api.md 2.2. */
import { z } from "zod";
import { call } from "../domain/calls.ts";
import { TriggerError } from "../domain/errors.ts";
import type { MetadataOperation } from "../domain/run.ts";
import { counted } from "../views/format.ts";
import { viewParts } from "../views/parts.ts";
import { written } from "../views/written.ts";
import { defineTool } from "./define.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { readBack } from "./read-back.ts";
import { callOptions } from "./reading.ts";

const operation = z.strictObject({
  type: z.enum(["set", "delete", "append", "remove", "increment"]),
  key: z.string().min(1).describe("or JSON path $.a.b"),
  value: params.json.optional(),
});

export default defineTool({
  name: "update_run_metadata",
  title: "Update run metadata",
  summary: "Change a run's metadata by operations, or replace all of it by metadata.",
  effect: "write",
  toolset: "runs",
  permission: { action: "write", type: "runs", secretOnly: true },
  input: z.object({
    run_id: params.runId,
    operations: z.array(operation).min(1).optional(),
    metadata: params.object.optional(),
  }),
  output: changedRun.extend({ keys: z.array(z.string()).optional() }),

  async run({ run_id: id, operations, metadata }, context) {
    const update = chooseUpdate(operations, metadata);
    const options = callOptions(context);
    const resulting = await context.api.runs.updateMetadata(id, update, options);
    return { id, resulting, seen: await readBack(id, context) };
  },

  view({ id, resulting, seen }, context, { operations }) {
    return written(
      {
        id,
        seen,
        happened: operations
          ? `applied ${counted(operations.length, "operation")} to the metadata of`
          : "replaced the metadata of",
        lines: viewParts([{ label: "metadata", value: resulting }], context.budget / 2, context),
        next: [call("get_run", { run_id: id })],
        structured: { keys: Object.keys(resulting).slice(0, 100) },
      },
      context,
    );
  },
});

type Operation = z.output<typeof operation>;

function chooseUpdate(operations: Operation[] | undefined, metadata: Record<string, unknown> | undefined) {
  if (operations && metadata) {
    throw new TriggerError(
      "invalid_request",
      'Give "operations" or "metadata", not both: the API would ignore "metadata".',
    );
  }
  if (operations) return { operations: operations.map(toOperation) };
  if (metadata) return { metadata };
  throw new TriggerError(
    "invalid_request",
    'Give "operations" (change some keys) or "metadata" (replace everything).',
  );
}

function toOperation({ type, key, value }: Operation, at: number): MetadataOperation {
  if (type === "delete") return { type, key };
  if (value === undefined)
    throw new TriggerError("invalid_request", `operations[${at}]: ${type} needs a "value".`);
  if (type !== "increment") return { type, key, value };
  if (typeof value === "number") return { type, key, value };
  throw new TriggerError("invalid_request", `operations[${at}]: increment needs a number as "value".`);
}
