import { afterEach, describe, expect, it } from "vitest";
import { asker, startTestApi, type TestApi } from "../support/embedded.ts";
import { World } from "../zoo/builder.ts";
import { MINUTE, NOW } from "../zoo/rows.ts";

let api: TestApi | undefined;
afterEach(() => api?.close());

const idleApi = async (world: World, pagedTraces = true): Promise<TestApi> => {
  api = await startTestApi({ idle: true, pagedTraces, now: () => NOW });
  api.load(world);
  return api;
};

describe("an idle API with a scenario", () => {
  it("shows every run with the status it was given, and leaves it there", async () => {
    const world = new World("statuses");
    const known = { ago: 5 * MINUTE, payload: {} };
    const runs = [
      [world.run("send-welcome-email", { ...known, status: "PENDING" }), "QUEUED"],
      [world.run("send-welcome-email", { ...known, status: "DELAYED", delayedFor: -MINUTE }), "DELAYED"],
      [world.run("no-such-task", { ...known, status: "PENDING_VERSION" }), "PENDING_VERSION"],
      [world.run("no-such-task", { ...known, status: "EXPIRED", ttl: "1m" }), "EXPIRED"],
      [world.run("sync-inventory", known, (run) => void run.attempt({ open: true })), "EXECUTING"],
      [
        world.run("sync-inventory", known, (run) => {
          run.attempt((step) => void step.wait("wait for 60s", { open: true }));
        }),
        "WAITING",
      ],
    ] as const;
    const { ask, trigger } = await idleApi(world);
    // Nothing wakes the worker, not even a run of its own.
    const triggered = await trigger("send-welcome-email", {});
    for (const [run, status] of runs) {
      expect((await ask(`/api/v3/runs/${run.id}`)).body.status).toBe(status);
    }
    expect((await ask(`/api/v3/runs/${triggered}`)).body).toMatchObject({
      status: "QUEUED",
      attemptCount: 0,
    });
  });

  it("puts the runs where its key looks, family and trace together", async () => {
    const world = new World("family");
    const parent = world.run("parent", { ago: MINUTE }, (run) => {
      run.attempt((step) => {
        step.triggerAndWait("child", {}, (child) => child.pause(5));
      });
    });
    const { ask } = await idleApi(world);
    const detail = await ask(`/api/v3/runs/${parent.id}`);
    expect(detail.body.relatedRuns.children).toMatchObject([
      { taskIdentifier: "child", status: "COMPLETED" },
    ]);
    const { body } = await ask(`/api/v1/runs/${parent.id}/trace`);
    const [attempt] = body.trace.rootSpan.children;
    expect(attempt.children[0].children[0].data.message).toBe("child");
  });

  it("stores nothing of a scenario that does not fit", async () => {
    const world = new World("twice");
    const run = world.run("once", { ago: MINUTE }, (told) => void told.attempt({ took: 3 }));
    const { ask, ...embedded } = await idleApi(new World("empty"));
    expect(() => embedded.load({ runs: [run.row, run.row], spans: world.spans })).toThrow(/UNIQUE/);
    expect((await ask(`/api/v3/runs/${run.id}`)).status).toBe(404);
  });

  it("can serve traces as the older server does, without pages", async () => {
    const world = new World("old server");
    const run = world.run("any", { ago: MINUTE }, (told) => void told.attempt({ took: 3 }));
    const { url, secretKey } = await idleApi(world, false);
    const { body } = await asker(url, secretKey)(`/api/v1/runs/${run.id}/trace?page[size]=1`);
    expect(body.trace.rootSpan.data.message).toBe("any");
  });
});
