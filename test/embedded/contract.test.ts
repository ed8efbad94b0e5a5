import {
  CanceledRunResponse,
  ListRunResponse,
  ReplayRunResponse,
  RetrieveRunResponse,
  RetrieveRunTracePageResponseBody,
  RetrieveRunTraceResponseBody,
  RetrieveSpanDetailResponseBody,
  TaskRunExecutionResult,
  TriggerTaskResponse,
  UpdateMetadataResponseBody,
} from "@trigger.dev/core/v3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { openApiErrors } from "../support/openapi.ts";

interface Schema {
  safeParse(value: unknown): { success: boolean; error?: unknown };
}

describe("answers of the run routes are what the official document and the official client expect", () => {
  let api: TestApi;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    api = await startTestApi();
    ids.completed = await api.trigger("send-welcome-email", { userId: "u1" }, { tags: ["user:u1"] });
    ids.failed = await api.trigger("process-order", {
      orderId: 1,
      amount: 5,
      customer: { id: "c", cards: [] },
    });
    ids.parent = await api.trigger("generate-report", { month: "2026-10" });
    ids.delayed = await api.trigger("send-welcome-email", { userId: "u2" }, { delay: "1h", ttl: 600 });
    ids.canceled = await api.trigger("send-welcome-email", { userId: "u3" }, { delay: "1h" });
    ids.unknown = await api.trigger("no-such-task", [1, 2]);
    await api.ask(`/api/v2/runs/${ids.canceled}/cancel`, { method: "POST" });
    await Promise.all(
      ["completed", "failed", "parent", "canceled"].map((name) => api.settled(ids[name] ?? "")),
    );
  });

  afterAll(() => api?.close());

  const check = (
    path: string,
    method: string,
    answer: { status: number; body: unknown },
    schema?: Schema,
  ) => {
    expect(answer.status).toBe(200);
    expect(openApiErrors(method, path, 200, answer.body)).toEqual([]);
    if (schema) expect(schema.safeParse(answer.body).error).toBeUndefined();
  };

  it("a wrong body is noticed by both", async () => {
    const { body } = await api.ask(`/api/v3/runs/${ids.completed}`);
    const wrong = { ...body, status: "DONE", createdAt: 5 };
    expect(openApiErrors("get", "/api/v3/runs/{runId}", 200, wrong)).toHaveLength(2);
    expect(RetrieveRunResponse.safeParse(wrong).success).toBe(false);
  });

  const RUNS = ["completed", "failed", "parent", "delayed", "canceled", "unknown"];

  it.each(["2025-07-16", "2024-01-01"])("list, version %s", async (version) => {
    const answer = await api.ask("/api/v1/runs", { headers: { "x-trigger-api-version": version } });
    check("/api/v1/runs", "get", answer, ListRunResponse);
    expect(answer.body.data.length).toBeGreaterThanOrEqual(RUNS.length);
  });

  it("list of a project", async () => {
    const path = `/api/v1/projects/${api.projectRef}/runs?filter[env]=dev`;
    check(
      "/api/v1/projects/{projectRef}/runs",
      "get",
      await api.ask(path, { token: api.personalToken }),
      ListRunResponse,
    );
  });

  it.each(RUNS)("retrieve, a run that is %s", async (name) => {
    check("/api/v3/runs/{runId}", "get", await api.ask(`/api/v3/runs/${ids[name]}`), RetrieveRunResponse);
  });

  it.each(RUNS)("trace and its pages, a run that is %s", async (name) => {
    const tree = await api.ask(`/api/v1/runs/${ids[name]}/trace`);
    check("/api/v1/runs/{runId}/trace", "get", tree, RetrieveRunTraceResponseBody);
    const page = await api.ask(`/api/v1/runs/${ids[name]}/trace?page[size]=3`);
    expect(page.status).toBe(200);
    expect(RetrieveRunTracePageResponseBody.safeParse(page.body).error).toBeUndefined();
  });

  it.each(RUNS)("events, a run that is %s", async (name) => {
    check("/api/v1/runs/{runId}/events", "get", await api.ask(`/api/v1/runs/${ids[name]}/events`));
  });

  it.each(["completed", "failed", "parent"])("every span of a run that is %s", async (name) => {
    const { body } = await api.ask(`/api/v1/runs/${ids[name]}/trace?page[size]=100`);
    for (const span of body.data) {
      const answer = await api.ask(`/api/v1/runs/${ids[name]}/spans/${span.id}`);
      expect(answer.status).toBe(200);
      expect(RetrieveSpanDetailResponseBody.safeParse(answer.body).error).toBeUndefined();
    }
  });

  it.each(["completed", "failed", "parent", "canceled"])("result, a run that is %s", async (name) => {
    const answer = await api.ask(`/api/v1/runs/${ids[name]}/result`);
    check("/api/v1/runs/{runId}/result", "get", answer, TaskRunExecutionResult);
  });

  it("writes: trigger, tags, metadata, reschedule, replay, cancel", async () => {
    const run = `/api/v1/runs/${ids.delayed}`;
    const post = (path: string, body?: unknown) => api.ask(path, { method: "POST", body });
    const trigger = await post("/api/v1/tasks/send-welcome-email/trigger", { payload: { userId: "u9" } });
    check("/api/v1/tasks/{taskIdentifier}/trigger", "post", trigger, TriggerTaskResponse);
    check("/api/v1/runs/{runId}/tags", "post", await post(`${run}/tags`, { tags: ["a", "b"] }));
    const metadata = await api.ask(`${run}/metadata`, { method: "PUT", body: { metadata: { step: 1 } } });
    check("/api/v1/runs/{runId}/metadata", "put", metadata, UpdateMetadataResponseBody);
    const moved = await post(`${run}/reschedule`, { delay: "2h" });
    check("/api/v1/runs/{runId}/reschedule", "post", moved, RetrieveRunResponse);
    check("/api/v1/runs/{runId}/replay", "post", await post(`${run}/replay`), ReplayRunResponse);
    const cancelled = await post(`/api/v2/runs/${ids.delayed}/cancel`);
    check("/api/v2/runs/{runId}/cancel", "post", cancelled, CanceledRunResponse);
  });
});
