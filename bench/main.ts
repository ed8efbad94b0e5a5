/** `npm run bench`: what is measured, what it is compared with, and the target. `-- --vendor` fetches the vendor's server too. */
import { fileURLToPath } from "node:url";
import { bridge } from "./bridge.ts";
import { oneCall } from "./call.ts";
import { install } from "./install.ts";
import { table } from "./measure.ts";
import { startup } from "./startup.ts";
import { toolList } from "./tools.ts";
import { traces } from "./trace.ts";
import { vendor } from "./vendor.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${root}dist/main.js`;

const rows = [
  await startup(bundle),
  await toolList(bundle),
  await oneCall(bundle),
  ...(await traces()),
  ...(await bridge(bundle)),
  await install(root),
  ...(process.argv.includes("--vendor") ? await vendor(bundle) : []),
];
console.log(table(rows));
process.exitCode = rows.every(({ met }) => met) ? 0 : 1;
