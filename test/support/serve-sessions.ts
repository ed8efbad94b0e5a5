/** A process that serves the embedded API's session part and says where: run with tsx, for tests whose clients must not wait for it. */
import { startSessionsApp } from "./sessions-app.ts";

const [pace = "0"] = process.argv.slice(2);
const { url, secretKey } = await startSessionsApp({ pace: Number(pace) });
process.stdout.write(`${JSON.stringify({ url, secretKey })}\n`);
