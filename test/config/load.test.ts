import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCommandLine } from "../../src/config/args.ts";
import { ConfigError } from "../../src/config/error.ts";
import { digest, loadSettings, requireCredentials } from "../../src/config/load.ts";

const KEY = "tr_dev_abcdefghijklmnopqrst";
const directory = mkdtempSync(join(tmpdir(), "trigger-mcp-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

function settings(line: string, environment: Record<string, string> = {}) {
  return loadSettings(readCommandLine(line === "" ? [] : line.split(" ")), environment);
}

function refusal(line: string, environment: Record<string, string> = {}): string {
  try {
    const loaded = settings(line, environment);
    requireCredentials(loaded);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "accepted";
}

let files = 0;
function file(content: unknown): string {
  files += 1;
  const path = join(directory, `${files}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("what is refused, and what it says", () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ["serv", {}, /"serv" is not a command/],
    ["htpp", {}, /did you mean "http"\?/],
    ["--embeded", {}, /--embeded is not a flag; did you mean "embedded"\?/],
    ["--port 1", {}, /--port is not a flag of stdio; it belongs to http, dev-api/],
    ["http --port", {}, /--port needs a value/],
    ["http --port 70000 --embedded", {}, /--port takes 0 to 65535, not "70000"/],
    ["--read-only=yes", {}, /--read-only takes no value/],
    ["--ephemeral", {}, /add --embedded/],
    ["--embedded --ephemeral --data-dir x", {}, /not both/],
    ["--embedded --api-url http://x", {}, /not both/],
    ["--toolsets run", {}, /takes runs, sessions, insight; "run" is none of them; did you mean "runs"\?/],
    ["--log-level loud", {}, /--log-level takes silent, error, warn, info, debug/],
    ["--api-url ftp://x", {}, /--api-url must be an http or https URL/],
    ["--api-url http://u:p@x", {}, /must not hold a user name or password/],
    ["", { TRIGGER_SECRET_KEY: "hunter2" }, /TRIGGER_SECRET_KEY is not a Trigger.dev credential/],
    ["", { TRIGGER_ACCESS_TOKEN: "tr_pat_x" }, /TRIGGER_PROJECT_REF.* and .*TRIGGER_ENVIRONMENT/],
    ["http", {}, /No Trigger.dev credentials. Set TRIGGER_SECRET_KEY .*--embedded/],
    ["http --host 0.0.0.0 --embedded", {}, /add --auth keys and set TRIGGER_MCP_KEYS/],
    ["http --auth keys --embedded", {}, /set TRIGGER_MCP_KEYS/],
    ["http --auth keys --embedded", { TRIGGER_MCP_KEYS: "short" }, /shorter than 16 characters/],
    ["http --auth oauth --embedded", {}, /--auth takes none, keys/],
    ["call", {}, /Usage: trigger-mcp call <tool> \[json\]/],
    ["tools x", {}, /got 1 further argument\./],
    ["--config /nowhere.json", {}, /could not be read/],
  ])("%s", (line, environment, expected) => {
    expect(refusal(line, environment)).toMatch(expected);
  });

  it("never repeats a credential", () => {
    const secret = "sk_live_something_secret";
    expect(refusal("", { TRIGGER_SECRET_KEY: secret })).not.toContain(secret);
  });
});

describe("what the environment says", () => {
  it.each([
    [KEY, "dev"],
    ["tr_stg_abcdefghijklmnopqrst", "staging"],
    ["tr_prod_abcdefghijklmnopqrst", "prod"],
    ["tr_preview_abcdefghijklmnopqrst", "preview"],
  ])("the key %s names its environment", (key, name) => {
    expect(settings("", { TRIGGER_SECRET_KEY: key }).targets).toEqual([
      { name, apiUrl: "https://api.trigger.dev", token: key, embedded: false },
    ]);
  });

  it("a personal access token comes with its project and environment", () => {
    const [target] = settings("", {
      TRIGGER_ACCESS_TOKEN: "tr_pat_abcdefghijklmnop",
      TRIGGER_PROJECT_REF: "proj_x",
      TRIGGER_ENVIRONMENT: "prod",
      TRIGGER_PREVIEW_BRANCH: "feature",
      TRIGGER_API_URL: "https://trigger.example.com/",
    }).targets;
    expect(target).toEqual({
      name: "prod",
      apiUrl: "https://trigger.example.com",
      token: "tr_pat_abcdefghijklmnop",
      projectRef: "proj_x",
      environment: "prod",
      branch: "feature",
      embedded: false,
    });
  });

  it("without a credential stdio still has a target, so that it can start and say so", () => {
    expect(settings("").targets).toEqual([
      { name: "default", apiUrl: "https://api.trigger.dev", embedded: false },
    ]);
  });

  it("blank variables are no variables", () => {
    expect(settings("", { TRIGGER_SECRET_KEY: "  " }).targets[0]).not.toHaveProperty("token");
  });

  it("a flag wins over a variable", () => {
    const [target] = settings("--api-url http://127.0.0.1:3030", {
      TRIGGER_SECRET_KEY: KEY,
      TRIGGER_API_URL: "https://elsewhere.example",
    }).targets;
    expect(target?.apiUrl).toBe("http://127.0.0.1:3030");
  });
});

describe("what the flags come to", () => {
  it("the embedded API keeps its data in .trigger-mcp here, elsewhere, or nowhere", () => {
    expect(settings("--embedded").embedded).toEqual({ dataDir: join(process.cwd(), ".trigger-mcp") });
    expect(settings("--embedded --data-dir /tmp/x").embedded).toEqual({ dataDir: "/tmp/x" });
    expect(settings("--embedded --ephemeral").embedded).toEqual({});
    expect(settings("dev-api --ephemeral").embedded).toEqual({ port: 3030 });
    expect(settings("dev-api --port 0 --ephemeral").embedded).toEqual({ port: 0 });
  });

  it("http listens on loopback without keys, or anywhere with them, remembered as digests", () => {
    expect(settings("http --embedded").http).toEqual({
      host: "127.0.0.1",
      port: 3333,
      auth: "none",
      keyDigests: [],
      allowedHosts: [],
      allowedOrigins: [],
    });
    const key = "0123456789abcdef";
    const { http } = settings(
      "http --embedded --host 0.0.0.0 --port 0 --auth keys --allowed-hosts a.example,b.example",
      {
        TRIGGER_MCP_KEYS: `${key}, ${key}2`,
      },
    );
    expect(http.keyDigests).toEqual([digest(key), digest(`${key}2`)]);
    expect(JSON.stringify(http)).not.toContain(key);
    expect(http.allowedHosts).toEqual(["a.example", "b.example"]);
  });

  it("is frozen through and through", () => {
    const loaded = settings("--embedded");
    expect(Object.isFrozen(loaded)).toBe(true);
    expect(Object.isFrozen(loaded.targets[0])).toBe(true);
    expect(Object.isFrozen(loaded.http.allowedHosts)).toBe(true);
  });
});

describe("the config file", () => {
  it("names several targets, each with the variable that holds its credential", () => {
    const path = file({
      targets: {
        dev: { apiUrl: "http://127.0.0.1:3030", secretKeyEnv: "DEV_KEY" },
        prod: { accessTokenEnv: "PAT", projectRef: "proj_x", environment: "prod" },
      },
      readOnly: true,
    });
    const loaded = settings(`--config ${path}`, { DEV_KEY: KEY, PAT: "tr_pat_abc" });
    expect(loaded.targets.map(({ name, token }) => [name, token])).toEqual([
      ["dev", KEY],
      ["prod", "tr_pat_abc"],
    ]);
    expect(loaded.readOnly).toBe(true);
  });

  it.each<[unknown, RegExp]>([
    ["{", /is not JSON/],
    [{ target: {} }, /the file has no "target"; did you mean "targets"\?/],
    [
      { targets: { dev: { secretKey: "tr_dev_x" } } },
      /targets.dev has no "secretKey"; did you mean "secretKeyEnv"\?/,
    ],
    [{ targets: { dev: {} } }, /Target "dev" names no credential/],
    [{ targets: { dev: { secretKeyEnv: "NOT_SET" } } }, /NOT_SET, which is not set/],
    [
      { targets: { dev: { accessTokenEnv: "PAT" } } },
      /Target "dev" holds a personal access token, which also needs/,
    ],
    [{ http: { port: 99_999 } }, /http.port/],
  ])("%j is refused", (content, expected) => {
    expect(refusal(`--config ${file(content)}`, { PAT: "tr_pat_abc" })).toMatch(expected);
  });

  it("does not go together with --embedded", () => {
    const path = file({ targets: { dev: { secretKeyEnv: "DEV_KEY" } } });
    expect(refusal(`--embedded --config ${path}`, { DEV_KEY: KEY })).toMatch(/not both/);
  });
});

describe("redaction", () => {
  it.each([
    ["", true, false],
    ["--redact-emails", true, true],
    ["--no-redact", false, false],
  ])("%j", (line, redact, redactEmails) => {
    expect(settings(line)).toMatchObject({ redact, redactEmails });
  });

  it("comes from the config file too, and off is off for everything", () => {
    expect(settings(`--config ${file({ redactEmails: true })}`)).toMatchObject({
      redact: true,
      redactEmails: true,
    });
    expect(settings(`--config ${file({ redactEmails: true })} --no-redact`)).toMatchObject({
      redact: false,
      redactEmails: false,
    });
    expect(refusal("--redact-emails --no-redact")).toMatch(/not both/);
  });
});
