/** What a model pays for knowing the tools: names, descriptions and input schemas, as a client lists them. */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import type { Row } from "./measure.ts";

/** Measured once on the vendor's server, `trigger.dev mcp`; `--vendor` measures it again. */
const VENDOR_TOKENS = 19_555;
const MOST = 4_000;

/** o200k tokens of the tool list of a stdio server, and how many tools it has. */
export async function listPrice(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ tokens: number; tools: number }> {
  const client = new Client({ name: "bench", version: "1" });
  await client.connect(
    new StdioClientTransport({
      command,
      args,
      env: { PATH: process.env.PATH ?? "", ...env },
      stderr: "ignore",
    }),
  );
  const { tools } = await client.listTools();
  await client.close();
  const shown = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: inputSchema,
  }));
  return { tokens: encode(JSON.stringify(shown)).length, tools: tools.length };
}

export async function toolList(bundle: string, vendorTokens = VENDOR_TOKENS): Promise<Row> {
  const { tokens, tools } = await listPrice(process.execPath, [bundle], {});
  return {
    what: `tool list, ${tools} tools`,
    measured: `${tokens.toLocaleString("en")} tokens`,
    comparedWith: `vendor: ${vendorTokens.toLocaleString("en")}`,
    ratio: tokens / vendorTokens,
    target: `at most ${MOST.toLocaleString("en")}`,
    met: tokens <= MOST,
  };
}
