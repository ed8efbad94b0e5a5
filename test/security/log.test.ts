/** Log lines are read by people and kept by hosts: what an unexpected error says in them is as clean as an answer. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const LOG = fileURLToPath(new URL("../../src/server/log.ts", import.meta.url));

it("log lines hold no secrets and nothing invisible, and stay JSON", () => {
  const program = `
    const { createLogger } = await import(${JSON.stringify(LOG)});
    const error = new Error('tr_dev_LEAKLEAK0123456789 \\u001b[31m\\u202e {"password":"LEAK me"} postgres://a:LEAKLEAK@db');
    createLogger("error").error({ err: error, subject: "get_run" }, "unexpected error");
  `;
  const { stderr, stdout } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", program],
    {
      encoding: "utf8",
    },
  );
  expect(stdout).toBe("");
  const line = JSON.parse(stderr.trim());
  expect(line).toMatchObject({ subject: "get_run", msg: "unexpected error" });
  expect(line.err.message).toContain("[secret 1]");
  for (const hostile of ["LEAK", "\u202e", "\u001b"]) expect(stderr).not.toContain(hostile);
});
