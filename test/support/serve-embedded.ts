/** A process that serves the embedded API on a data directory and says where: run with tsx, meant to be killed. */
import { startEmbedded } from "../../src/embedded/index.ts";

const [dataDir] = process.argv.slice(2);
const { url, secretKey } = await startEmbedded({ ...(dataDir !== undefined && { dataDir }) });
process.stdout.write(`${JSON.stringify({ url, secretKey })}\n`);
