import { describe, expect, it } from "vitest";
import type { Settings } from "../../src/config/settings.ts";
import type { Access } from "../../src/domain/access.ts";
import { prompts } from "../../src/prompts/index.ts";
import { resources } from "../../src/resources/index.ts";
import { instructions } from "../../src/server/instructions.ts";
import { visible } from "../../src/server/service.ts";
import { tools } from "../../src/tools/index.ts";
import { aService, target } from "../support/service.ts";

const ALL = { tools, resources, prompts };
const EVERYTHING: Pick<Settings, "readOnly" | "toolsets"> = {
  readOnly: false,
  toolsets: ["runs", "sessions", "insight"],
};
const PUBLIC = (...scopes: string[]): Access => ({ kind: "public", scopes });

const offered = (access: Access | undefined, settings = EVERYTHING) => {
  const { access: _, ...one } = target("dev");
  return visible(ALL, settings, [{ ...one, ...(access === undefined ? {} : { access }) }]);
};

const names = (access: Access | undefined, settings = EVERYTHING) =>
  offered(access, settings).tools.map(({ name }) => name);

describe("what is offered", () => {
  it("is everything with a secret key, and with none: then every call says what to set", () => {
    expect(names({ kind: "secret" })).toHaveLength(tools.length);
    expect(names(undefined)).toHaveLength(tools.length);
  });

  it("is only what reads, in read-only mode", () => {
    const { tools: readers } = offered({ kind: "secret" }, { ...EVERYTHING, readOnly: true });
    expect(readers.length).toBeGreaterThan(5);
    expect(readers.every(({ effect }) => effect === "read")).toBe(true);
  });

  it("is only the toolsets asked for", () => {
    const { tools: some } = offered({ kind: "secret" }, { ...EVERYTHING, toolsets: ["sessions"] });
    expect(new Set(some.map(({ toolset }) => toolset))).toEqual(new Set(["sessions"]));
  });

  it("follows the scopes of a public token", () => {
    const scoped = names(PUBLIC("read:sessions:chat-81", "write:sessions:chat-81"));
    expect(scoped).toContain("send_session_message");
    expect(scoped).toContain("get_connection");
    expect(scoped).not.toContain("list_runs");
    expect(scoped).not.toContain("close_session");
    expect(scoped).not.toContain("add_run_tags");
    expect(
      offered(PUBLIC("read:sessions")).resources.every(({ uri }) => uri.startsWith("trigger://sessions")),
    ).toBe(true);
    expect(offered(PUBLIC("read:sessions")).prompts.map(({ name }) => name)).toEqual(["debug_session"]);
    expect(names(PUBLIC("admin"))).not.toContain("add_run_tags");
  });

  it("is all that the instructions name", () => {
    const service = aService();
    service.surface = offered(PUBLIC("read:runs"));
    const text = instructions(service);
    expect(text).toContain("get_run_trace");
    for (const hidden of ["replay_run", "send_session_message", "follow_session"]) {
      expect(text).not.toContain(hidden);
    }
  });
});
