/** Whatever a server answers, every reading tool answers: within its budget, in the same words, with calls that can be made. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArguments } from "../../src/server/arguments.ts";
import { callTool, type ToolAnswer } from "../../src/server/pipeline.ts";
import type { ToolDefinition } from "../../src/tools/define.ts";
import { tools } from "../../src/tools/index.ts";
import { CREATED } from "../support/api.ts";
import { faultsOf } from "../support/hostile.ts";
import { o200k } from "../support/o200k.ts";
import { apiOf, type World, world } from "../support/random-api.ts";
import { aService, target } from "../support/service.ts";

type Args = Record<string, unknown>;

const run = ({ run }: World): Args => ({ run_id: run.id });
const session = (world: World): Args => ({ session: world.session.externalId ?? world.session.id });
const spanIn = (world: World): string => world.spans[0]?.id ?? "0".repeat(16);

const ARGUMENTS: Record<string, ((world: World) => Args)[]> = {
  get_connection: [() => ({})],
  list_runs: [() => ({}), () => ({ status: "FAILED", limit: 5 })],
  get_run: [run, (world) => ({ ...run(world), path: ["payload", "metadata", "output"] })],
  get_run_trace: [run, (world) => ({ ...run(world), view: "errors" })],
  search_run_events: [run, (world) => ({ ...run(world), level: "WARN", limit: 10 })],
  get_span: [(world) => ({ ...run(world), span_id: spanIn(world) })],
  diagnose_run: [run],
  compare_runs: [run, (world) => ({ ...run(world), other_run_id: world.others[0]?.id ?? "run_other" })],
  triage_failures: [() => ({}), () => ({ period: "7d", limit: 5 })],
  follow_run: [(world) => ({ ...run(world), timeout_seconds: 1 })],
  list_sessions: [() => ({})],
  get_session: [session],
  get_session_transcript: [session],
  read_session_channel: [session, (world) => ({ ...session(world), io: "in" })],
  follow_session: [(world) => ({ ...session(world), timeout_seconds: 1 })],
  diagnose_session: [session],
};

/** The views a tool has, where it says so itself. */
function variants(tool: ToolDefinition): ((world: World) => Args)[] {
  const known = ARGUMENTS[tool.name] ?? [];
  const views = (tool.input.shape.view as { unwrap?(): { options?: string[] } } | undefined)?.unwrap?.()
    .options;
  return [...known, ...(views ?? []).map((view) => (world: World) => ({ ...run(world), view }))];
}

const NOW = CREATED + 240_000;

const ask = (tool: ToolDefinition, world: World, args: Args): Promise<ToolAnswer> => {
  const service = {
    ...aService({ tools: [...tools], targets: [target("dev", apiOf(world))] }),
    now: () => NOW,
  };
  return callTool(service, tool, args, { signal: new AbortController().signal });
};

/** The nonce is another every time, and nothing else is. */
const withoutNonce = ({ text, structured }: ToolAnswer) => ({
  text: text.replace(/(?<=^<<<\S{1,200} )\d{9}$|\d{9}(?=>>>$)/gm, "nonce"),
  structured,
});

const budget = fc.oneof(fc.integer({ min: 200, max: 1_000 }), fc.integer({ min: 200, max: 20_000 }));

function check(answer: ToolAnswer, most: number): void {
  expect(answer.text).not.toBe("");
  expect(answer.structured.code, answer.text).not.toBe("internal");
  expect(o200k(answer.text)).toBeLessThanOrEqual(most);
  expect(faultsOf(answer.text)).toEqual([]);
  for (const { tool: name, args } of (answer.structured.next ?? []) as { tool: string; args: Args }[]) {
    const tool = tools.find((one) => one.name === name);
    if (!tool) throw new Error(`${name} is suggested, and there is no such tool`);
    expect(() => readArguments(tool, args, ["dev"]), `${name} ${JSON.stringify(args)}`).not.toThrow();
  }
}

const reading = tools.filter(({ effect }) => effect === "read");

it("knows how to call every reading tool", () => {
  expect(reading.map(({ name }) => name).filter((name) => !ARGUMENTS[name])).toEqual([]);
});

describe.each(reading.map((tool) => [tool.name, tool] as const))("%s", (_, tool) => {
  it.each(variants(tool).map((argsOf, at) => [at, argsOf] as const))(
    "answers whatever there is (%i)",
    async (_at, argsOf) => {
      await fc.assert(
        fc.asyncProperty(world, budget, async (world, max_tokens) => {
          const args = { ...argsOf(world), max_tokens };
          const answer = await ask(tool, world, args);
          check(answer, max_tokens);
          expect(withoutNonce(await ask(tool, world, args))).toEqual(withoutNonce(answer));
        }),
        { numRuns: 40 },
      );
    },
    60_000,
  );
});
