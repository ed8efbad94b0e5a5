/** Values that travel beside the API: presigned links to payloads, outputs and uploads, contract api.md 2.8. */
import type { Hono } from "hono";
import type { Gates } from "../auth/authenticate.ts";
import type { SignedUrls } from "../auth/signed-urls.ts";
import type { Engine, Environment, StoredRun } from "../engine/types.ts";
import type { Objects, StoredObject } from "../store/objects.ts";
import { readText } from "./body.ts";
import { action, loader, route } from "./builder.ts";
import { error } from "./replies.ts";
import { readRunCheck } from "./run-reads.ts";

export type PacketField = "payload" | "output";

export interface Packets {
  /** A link to a run's stored value, on the origin the request came to. */
  linkTo(request: Request, run: StoredRun, field: PacketField): string;
  /** What was uploaded under a storage path in this environment. */
  uploaded(environment: Environment, storagePath: string): StoredObject | undefined;
}

export interface PacketDeps {
  gates: Gates;
  engine: Engine;
  objects: Objects;
  signedUrls: SignedUrls;
}

/** Bytes of one upload; the largest batch item the API knows is 3 MiB, an offloaded one may be larger. */
const UPLOAD_LIMIT = 64 * 1024 * 1024;

const originOf = (request: Request): string => new URL(request.url).origin;

const runPath = (run: StoredRun, field: PacketField): string => `/packets/runs/${run.id}/${field}`;

const objectKey = (environment: Environment, path: string): string =>
  `packets/${environment.projectRef}/${environment.slug}/${environment.id}/${path}`;

const objectPath = (environment: Environment, path: string): string =>
  `/packets/objects/${encodeURIComponent(objectKey(environment, path))}`;

export function createPackets({ objects, signedUrls }: Pick<PacketDeps, "objects" | "signedUrls">): Packets {
  return {
    linkTo: (request, run, field) => signedUrls.sign(originOf(request), "GET", runPath(run, field)),
    uploaded: (environment, storagePath) => objects.get(objectKey(environment, storagePath)),
  };
}

export function packetRoutes(app: Hono, { gates, engine, objects, signedUrls }: PacketDeps): void {
  const presigned = (request: Request, environment: Environment, method: "GET" | "PUT", path: string) =>
    signedUrls.sign(originOf(request), method, objectPath(environment, path));
  const anyPacket = () => ({ action: "read", anyOf: [{ type: "runs" }] });

  route(app, "/api/v1/packets/:path{.+}", {
    loader: loader({ gate: gates.keysAndTokens, authorize: anyPacket }, ({ principal, request, params }) =>
      Response.json({ presignedUrl: presigned(request, principal.environment, "GET", params.path ?? "") }),
    ),
    action: action({ gate: gates.keys, method: "PUT" }, ({ principal, request, params }) =>
      Response.json({ presignedUrl: presigned(request, principal.environment, "PUT", params.path ?? "") }),
    ),
  });

  route(app, "/api/v2/packets/:path{.+}", {
    action: action({ gate: gates.keys, method: "PUT" }, ({ principal, request, params }) => {
      const storagePath = params.path ?? "";
      const presignedUrl = presigned(request, principal.environment, "PUT", storagePath);
      return Response.json({ presignedUrl, storagePath });
    }),
  });

  route(app, "/api/v1/runs/:runId/packets/:field{payload|output}", {
    loader: loader(
      {
        gate: gates.keysAndTokens,
        find: ({ principal, params }) => {
          const run = engine.runs.find(principal.environment.id, params.runId ?? "");
          return run?.[params.field as PacketField] === undefined ? undefined : run;
        },
        authorize: (_, run) => readRunCheck(run),
      },
      ({ request, params, resource: run }) =>
        Response.json({
          presignedUrl: signedUrls.sign(originOf(request), "GET", runPath(run, params.field as PacketField)),
        }),
    ),
  });

  app.get("/packets/runs/:runId/:field{payload|output}", (c) => {
    if (!signedUrls.verify("GET", new URL(c.req.url))) return expired();
    const text = engine.runs.byInternalId(c.req.param("runId"))?.[c.req.param("field") as PacketField];
    if (text === undefined) return error(404, "Not found");
    return new Response(text, { headers: { "content-type": "application/json" } });
  });

  app.get("/packets/objects/:key", (c) => {
    if (!signedUrls.verify("GET", new URL(c.req.url))) return expired();
    const stored = objects.get(c.req.param("key"));
    if (stored === undefined) return error(404, "Not found");
    return new Response(new Uint8Array(stored.body), { headers: { "content-type": stored.contentType } });
  });

  app.put("/packets/objects/:key", async (c) => {
    if (!signedUrls.verify("PUT", new URL(c.req.url))) return expired();
    const text = await readText(c.req.raw, UPLOAD_LIMIT);
    if (text === undefined) return error(413, "Request body too large");
    const contentType = c.req.header("content-type") ?? "application/octet-stream";
    objects.put(c.req.param("key"), { contentType, body: Buffer.from(text) });
    return new Response(null, { status: 200 });
  });
}

const expired = (): Response => error(403, "The link is invalid or has expired");
