/** Resources on the SDK: fixed ones listed, templates matched and completed, errors in our words. */
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
  type ServerContext,
  UriTemplate,
} from "@modelcontextprotocol/server";
import { isTriggerError } from "../domain/errors.ts";
import type { ResourceContext, ResourceDefinition } from "../resources/define.ts";
import { explain } from "./explain.ts";
import { viewContext } from "./pipeline.ts";
import { candidates } from "./prompts.ts";
import type { Service } from "./service.ts";

const MIME_TYPE = "text/markdown";

/** A resource is read as a whole and by choice, so it may cost more than a tool's answer. */
export const BUDGET = 10_000;

/** Reads are answered well before hosts give up. */
const READ_MS = 45_000;

async function contextOf(service: Service, signal: AbortSignal): Promise<ResourceContext> {
  const [target] = service.targets;
  return { api: await target.api(), signal, view: viewContext(service, target.name, BUDGET) };
}

/** Template variables arrive percent-encoded; one that does not decode names nothing. */
function decoded(uri: URL, variables: Record<string, string | string[]>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, decodeURIComponent([value].flat().join(","))]),
    );
  } catch {
    throw new ResourceNotFoundError(uri.href);
  }
}

/** What the protocol knows for a failed read: not found, or an internal error with our words. */
export function protocolError(error: unknown, uri: string, service: Service): Error {
  if (error instanceof ResourceNotFoundError) return error;
  if (isTriggerError(error) && error.code === "not_found") return new ResourceNotFoundError(uri);
  const [target] = service.targets;
  const { clean } = viewContext(service, target.name, BUDGET);
  const told = explain(error, {
    subject: uri,
    effect: "read",
    args: {},
    target: target.name,
    otherTargets: [],
    clean,
    now: service.now(),
    log: service.log,
  });
  const code =
    told.structured.code === "invalid_request"
      ? ProtocolErrorCode.InvalidParams
      : ProtocolErrorCode.InternalError;
  return new ProtocolError(code, clean(told.text));
}

const reader =
  (resource: ResourceDefinition, service: Service) =>
  async (uri: URL, variables: Record<string, string | string[]>, { mcpReq }: ServerContext) => {
    try {
      const signal = AbortSignal.any([mcpReq.signal, AbortSignal.timeout(READ_MS)]);
      const known = decoded(uri, variables);
      const context = await contextOf(service, signal);
      const text = context.view.clean(await resource.read(known, context));
      return { contents: [{ uri: uri.href, mimeType: MIME_TYPE, text }] };
    } catch (error) {
      throw protocolError(error, uri.href, service);
    }
  };

export interface FoundResource {
  resource: ResourceDefinition;
  variables: Record<string, string>;
}

/** The resource a URI names, as far as its form tells. */
export function findResource(service: Service, uri: string): FoundResource | undefined {
  for (const resource of service.surface.resources) {
    if (resource.uri === uri) return { resource, variables: {} };
    const matched = resource.uri.includes("{") ? new UriTemplate(resource.uri).match(uri) : null;
    if (matched && URL.canParse(uri)) return { resource, variables: decoded(new URL(uri), matched) };
  }
  return undefined;
}

function completions(resource: ResourceDefinition, service: Service) {
  const entries = Object.entries(resource.complete ?? {}).map(([variable, complete]) => [
    variable,
    (typed: string, known?: { arguments?: Record<string, string> }) =>
      candidates(service, async (signal) =>
        complete(typed, known?.arguments ?? {}, await contextOf(service, signal)),
      ),
  ]);
  return Object.fromEntries(entries);
}

export function registerResources(server: McpServer, service: Service): void {
  for (const resource of service.surface.resources) {
    const read = reader(resource, service);
    const metadata = { title: resource.title, description: resource.description, mimeType: MIME_TYPE };
    if (resource.uri.includes("{")) {
      const template = new ResourceTemplate(resource.uri, {
        list: undefined,
        complete: completions(resource, service),
      });
      server.registerResource(resource.name, template, metadata, read);
    } else {
      server.registerResource(resource.name, resource.uri, metadata, (uri, context) =>
        read(uri, {}, context),
      );
    }
  }
}
