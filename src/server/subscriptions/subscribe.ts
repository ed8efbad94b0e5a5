/** The 2025 protocol era: `resources/subscribe` and `resources/unsubscribe` on a connection, until it closes. */
import type { McpServer } from "@modelcontextprotocol/server";
import { protocolError } from "../resources.ts";
import type { Service } from "../service.ts";
import type { Subscriptions, Watch } from "./index.ts";

/** A URI of another scheme than that of ours. */
const FOREIGN = /^(?!trigger:)[a-z][a-z0-9+.-]*:/i;

/** For connections whose updates go out on a stream that comes and goes. */
export interface Audience {
  /** The stream is open. What was sent without one is lost, so everything subscribed to is told as changed. */
  heard(): void;
  /** The stream is gone; unless another comes soon, nothing is watched for the connection any more. */
  unheard(): void;
}

/** `heard`: whether updates arrive from the beginning. */
export function serveSubscriptions(
  { server }: McpServer,
  service: Service,
  subscriptions: Subscriptions,
  { heard = true } = {},
): Audience {
  /** By URI; `undefined` while nobody would hear of changes. */
  const held = new Map<string, Watch | undefined>();
  let audible = heard;
  let rest: NodeJS.Timeout | undefined;

  // Whoever has gone is told by the close of the connection, not by us.
  const tell = (uri: string) => void server.sendResourceUpdated({ uri }).catch(() => {});

  const restSoon = () => {
    clearTimeout(rest);
    rest = setTimeout(() => {
      for (const [uri, watch] of held) {
        watch?.stop();
        held.set(uri, undefined);
      }
    }, subscriptions.timing.unheardMs);
    rest.unref();
  };

  async function hold(uri: string): Promise<void> {
    const watch = held.get(uri) ?? subscriptions.open(uri, tell);
    held.set(uri, watch);
    try {
      await watch.ready;
    } catch (error) {
      if (held.get(uri) === watch) held.delete(uri);
      throw error;
    }
    if (!audible) restSoon();
  }

  if (service.surface.resources.length > 0) {
    server.setRequestHandler("resources/subscribe", async ({ params: { uri } }) => {
      // Of another server's resources there is nothing to tell, and nothing to complain of.
      if (FOREIGN.test(uri)) return {};
      try {
        await hold(uri);
      } catch (error) {
        throw protocolError(error, uri, service);
      }
      return {};
    });
    server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      held.get(uri)?.stop();
      held.delete(uri);
      return {};
    });
    server.onclose = () => {
      clearTimeout(rest);
      for (const watch of held.values()) watch?.stop();
      held.clear();
    };
  }

  return {
    heard() {
      clearTimeout(rest);
      audible = true;
      for (const uri of held.keys()) {
        hold(uri).then(
          () => tell(uri),
          () => {},
        );
      }
    },
    unheard() {
      audible = false;
      restSoon();
    },
  };
}
