/** Why a conversation is stuck, empty, looping or silent: everything looked up and judged in one call. */
import { z } from "zod";
import { diagnoseSession } from "../insight/diagnose-session.ts";
import { viewSessionDiagnosis } from "../views/session-diagnosis.ts";
import { defineTool } from "./define.ts";
import { gatherSession } from "./diagnosing-session.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";

const place = z.looseObject({
  io: z.string().optional(),
  seq: z.int().optional(),
  run_id: z.string().optional(),
  tool_call_id: z.string().optional(),
});

export default defineTool({
  name: "diagnose_session",
  title: "Diagnose session",
  summary:
    "Why a conversation is stuck, silent, empty, looping or wrong: verdict, the record, tool call or run to blame, evidence, next calls. Ask this first.",
  effect: "read",
  toolset: "insight",
  permission: { action: "read", type: "sessions" },
  input: z.object({ session: params.session }),
  output: z.looseObject({
    session: z.string(),
    status: z.string(),
    verdict: z.looseObject({ class: z.string(), confidence: z.enum(["high", "medium", "low"]) }),
    culprit: place.extend({ session: z.string() }),
    evidence: z.array(place.extend({ kind: z.string() })),
    next: nextCalls.optional(),
  }),
  run: async ({ session }, context) => diagnoseSession(await gatherSession(session, context)),
  view: viewSessionDiagnosis,
});
