/** Watches a resource that has no stream by reading it again and again. What a resource is does not matter here. */
import { createHash } from "node:crypto";
import { viewContext } from "../pipeline.ts";
import { BUDGET, type FoundResource } from "../resources.ts";
import type { Service } from "../service.ts";
import { persistent, type Waits, type Watch } from "./watch.ts";

/** The clock of a watch stands still, well ahead: ages in the text must not look like news, nor deadlines pass. */
const AHEAD_MS = 30 * 24 * 3_600_000;

/** Calls `changed` when the text is another than the time before. */
export function reread(
  service: Service,
  { resource, variables }: FoundResource,
  waits: Waits,
  changed: () => void,
): Watch {
  const [target] = service.targets;
  const view = { ...viewContext(service, target.name, BUDGET), now: service.now() + AHEAD_MS };
  let seen: string | undefined;
  return persistent({
    waits,
    async round(signal, found) {
      const text = await resource.read(variables, { api: await target.api(), signal, view });
      const digest = createHash("sha256").update(text).digest("hex");
      const before = seen;
      seen = digest;
      found();
      if (before !== undefined && before !== digest) changed();
    },
    failed: (err) => service.log.debug({ err, resource: resource.name }, "subscribed resource not readable"),
  });
}
