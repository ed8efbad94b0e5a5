/** A hand-made TriggerApi: what a test plans is there, everything else throws by name. */
import type { ChannelsApi, RunsApi, SessionsApi, TokensApi, TriggerApi } from "../../src/client/api.ts";
import type { Access } from "../../src/domain/access.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Session } from "../../src/domain/session.ts";

export interface ApiPlan {
  baseUrl?: string;
  access?: Access;
  runs?: Partial<RunsApi>;
  sessions?: Partial<SessionsApi>;
  channels?: Partial<ChannelsApi>;
  tokens?: Partial<TokensApi>;
  probe?: TriggerApi["probe"];
}

export function apiWith(plan: ApiPlan): TriggerApi {
  return {
    baseUrl: plan.baseUrl ?? "http://api.test",
    access: plan.access ?? { kind: "secret" },
    runs: planned("runs", plan.runs),
    sessions: planned("sessions", plan.sessions),
    channels: planned("channels", plan.channels),
    tokens: planned("tokens", plan.tokens),
    probe: plan.probe ?? unplanned("probe"),
    close: async () => {},
  };
}

const unplanned = (name: string) => (): never => {
  throw new Error(`the test did not plan ${name}`);
};

const planned = <Area extends object>(area: string, methods: Partial<Area> = {}): Area =>
  new Proxy(methods, {
    get: (target, name) => Reflect.get(target, name) ?? unplanned(`${area}.${String(name)}`),
  }) as Area;

/** 2026-08-20T10:00:00Z, when test runs are created. */
export const CREATED = Date.UTC(2026, 7, 20, 10);

export const aRun = (rest: Partial<Run> = {}): Run => ({
  id: "run_cm9x2k4p30001ab12cd34ef56",
  task: "process-order",
  status: "EXECUTING",
  createdAt: CREATED,
  updatedAt: CREATED + 1000,
  isTest: false,
  tags: [],
  costInCents: 0,
  baseCostInCents: 0,
  durationMs: 0,
  depth: 0,
  attemptCount: 1,
  children: [],
  ...rest,
});

/** Created when `START` of channel.ts is. */
export const aSession = (rest: Partial<Session> = {}): Session => ({
  id: "session_1",
  externalId: "chat-81",
  type: "chat.agent",
  task: "support-agent",
  tags: [],
  currentRunId: "run_1",
  createdAt: CREATED,
  updatedAt: CREATED,
  ...rest,
});
