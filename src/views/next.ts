/** The calls an answer suggests, as its last lines. Ids in them are upstream text like any other. */
import { type Call, formatCall } from "../domain/calls.ts";
import type { ViewContext } from "./answer.ts";

/** `undefined` when there is nothing to suggest. */
export const nextLines = (next: readonly Call[], context: Pick<ViewContext, "clean">): string | undefined =>
  next.length === 0
    ? undefined
    : `next: ${next.map((each) => context.clean(formatCall(each))).join("\n      ")}`;
