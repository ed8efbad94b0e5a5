/** The vendor's own server, fetched only when asked for: start-up, tool list and install size side by side with ours. */
import { join } from "node:path";
import { installed } from "./install.ts";
import { interleaved, ms, type Row } from "./measure.ts";
import { untilInitialized } from "./startup.ts";
import { listPrice } from "./tools.ts";

const PACKAGE = "trigger.dev@latest";
const COMMAND = "trigger";
const ROUNDS = 7;

export async function vendor(bundle: string): Promise<Row[]> {
  let took = { theirs: Number.NaN, ours: Number.NaN };
  let price = { tokens: Number.NaN, tools: Number.NaN };
  const { megabytes, packages } = await installed(PACKAGE, async (commands) => {
    const command = join(commands, COMMAND);
    // A home of its own: it keeps what it is told there.
    const env = { HOME: commands };
    price = await listPrice(command, ["mcp"], env);
    took = await interleaved(ROUNDS, {
      theirs: () => untilInitialized(command, ["mcp"], env),
      ours: () => untilInitialized(process.execPath, [bundle], {}),
    });
  });
  const faster = took.theirs / took.ours;
  return [
    {
      what: "start to initialize answered",
      measured: ms(took.ours),
      comparedWith: `vendor: ${ms(took.theirs)}`,
      ratio: faster,
      target: "at least 8 x faster",
      met: faster >= 8,
    },
    {
      what: "the vendor's tool list and install",
      measured: `${price.tokens.toLocaleString("en")} tokens for ${price.tools} tools`,
      comparedWith: `${megabytes.toFixed(0)} MB, ${packages} packages`,
      target: "",
      met: true,
    },
  ];
}
