import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { SESSION_CLASSES } from "../../src/insight/session-diagnosis.ts";
import diagnoseSession from "../../src/tools/diagnose-session.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { callTool } from "../support/tools.ts";
import { situations } from "./situations.ts";
import { World } from "./world.ts";

let working: { embedded: TestApi; api: TriggerApi };
let idle: typeof working;

const open = async (options: { idle?: boolean }) => {
  const embedded = await startTestApi({ seed: false, ...options });
  return { embedded, api: createTriggerApi({ apiUrl: embedded.url, token: embedded.secretKey }) };
};

beforeAll(async () => {
  [working, idle] = await Promise.all([open({}), open({ idle: true })]);
});

afterAll(async () => {
  for (const { api, embedded } of [working, idle]) {
    await api.close();
    await embedded.close();
  }
});

it("has a situation for every class", () => {
  expect(new Set(situations.map((situation) => situation.class))).toEqual(new Set(SESSION_CLASSES));
});

describe("diagnose_session", () => {
  it.each(
    situations.map((situation) => [situation.name, situation.story, situation] as const),
  )("knows %s (%s)", async (name, _story, situation) => {
    const { embedded, api } = situation.idle ? idle : working;
    const world = new World(embedded, api, name.replaceAll(" ", "-"));
    const expected = await situation.make(world);
    const now = Date.now() + (expected.later ?? 0);
    const look = (budget?: number) =>
      callTool(diagnoseSession, { session: world.session }, expected.api ?? api, {
        context: { now: () => now },
        ...(budget !== undefined && { budget }),
      });
    const { text, structured } = await look();
    const { class: said, confidence } = structured.verdict as Record<string, string>;
    expect(said, text).toBe(situation.class);
    if (situation.confidence) expect(confidence, text).toBe(situation.confidence);
    expect(structured.culprit, text).toMatchObject({ session: world.session, ...expected.culprit });
    for (const words of expected.says) expect(text).toMatch(words);
    const tools = structured.next?.map(({ tool }) => tool) ?? [];
    expect(tools, text).toEqual(expect.arrayContaining(expected.next ?? []));
    expect(tools.length).toBeGreaterThan(0);
    expect(tools.length).toBeLessThanOrEqual(3);
    expect((await look(200)).structured.verdict).toEqual(structured.verdict);
    await world.leave();
  });
});
