/** Every resource there is, in the order they are listed. */
import { channel, namedChannel } from "./channel.ts";
import type { ResourceDefinition } from "./define.ts";
import { run } from "./run.ts";
import { runEvents } from "./run-events.ts";
import { runSpan } from "./run-span.ts";
import { runTrace } from "./run-trace.ts";
import { runs } from "./runs.ts";
import { session } from "./session.ts";
import { sessions } from "./sessions.ts";
import { transcript } from "./transcript.ts";

export const resources: readonly ResourceDefinition[] = [
  runs,
  sessions,
  run,
  runTrace,
  runEvents,
  runSpan,
  session,
  transcript,
  channel,
  namedChannel,
];
