/** Projects, their environments, and the way from a personal token to an environment, contract auth.md 4.1. */
import type { Hono } from "hono";
import { type Credentials, type Gates, selectBranch, Unauthenticated } from "../auth/authenticate.ts";
import type { PersonalPrincipal } from "../auth/principal.ts";
import { mintPublicToken } from "../auth/tokens.ts";
import type { Environment, EnvironmentType } from "../engine/types.ts";
import { ClaimsBody, invalidBody } from "./auth.ts";
import { loader, route } from "./builder.ts";
import { jsonOf, mountPlain } from "./plain.ts";
import { error } from "./replies.ts";

/** The path's spelling, which is `staging` where the stored slug is `stg`. */
const TYPES: Record<string, EnvironmentType> = {
  dev: "DEVELOPMENT",
  staging: "STAGING",
  prod: "PRODUCTION",
  preview: "PREVIEW",
};

export interface Project {
  id: string;
  ref: string;
  name: string;
  slug: string;
  createdAt: number;
  organization: { id: string; title: string; slug: string; createdAt: number };
}

export interface ProjectDeps {
  gates: Gates;
  credentials: Credentials;
  project: Project;
  /** The project's environments when the user belongs to it. */
  projectEnvironments(userId: string, projectRef: string): Environment[] | undefined;
}

export function projectRoutes(app: Hono, deps: ProjectDeps): void {
  const { gates, project } = deps;
  const iso = (time: number) => new Date(time).toISOString();
  const { organization } = project;

  route(app, "/api/v1/projects", {
    loader: loader({ gate: gates.personal }, () =>
      Response.json([
        {
          id: project.id,
          externalRef: project.ref,
          name: project.name,
          slug: project.slug,
          createdAt: iso(project.createdAt),
          defaultRegion: null,
          organization: { ...organization, createdAt: iso(organization.createdAt) },
        },
      ]),
    ),
  });

  route(app, "/api/v1/projects/:projectRef/environments", {
    loader: loader({ gate: gates.personal }, ({ principal, params }) => {
      const environments = deps.projectEnvironments(principal.userId, params.projectRef ?? "");
      if (environments === undefined) return error(404, "Project not found");
      return Response.json(environments.map(environmentRow));
    }),
  });

  mountPlain(app, "/api/v1/projects/:projectRef/:env/jwt", {
    post: (request, params) =>
      refusing(async () => {
        const user = person(gates, request);
        if (!Object.hasOwn(TYPES, params.env ?? "")) return error(400, "Invalid Params");
        const body = ClaimsBody.safeParse(await jsonOf(request));
        if (!body.success) return invalidBody(body.error.issues);
        const found = findEnvironment(deps, user.userId, params, request.headers);
        if (found instanceof Response) return found;
        const claims = { ...body.data.claims, act: { sub: user.userId } };
        const token = await mintPublicToken(found, claims, body.data.expirationTime ?? "1h");
        return Response.json({ token, environmentId: found.id });
      }),
    otherwise: () => error(405, "Method not allowed", { allow: "POST" }),
    failure: () => error(500, "Internal Server Error"),
  });

  mountPlain(app, "/api/v1/projects/:projectRef/:env", {
    get: (request, params) =>
      refusing(async () => {
        const echoed = await apiKeyOf(gates, request.headers);
        if (echoed !== undefined) return environmentKey(deps, request, echoed);
        const user = person(gates, request);
        if (!Object.hasOwn(TYPES, params.env ?? "")) return error(400, "Invalid Params");
        const found = findEnvironment(deps, user.userId, params, request.headers);
        return found instanceof Response ? found : environmentKey(deps, request, found.rootKey);
      }),
    otherwise: () => error(405, "Method not allowed", { allow: "GET" }),
    failure: () => error(500, "Internal Server Error"),
  });
}

const environmentRow = (environment: Environment) => ({
  id: environment.id,
  slug: environment.slug,
  type: environment.type,
  isBranchableEnvironment: environment.type === "PREVIEW" && environment.parentId === undefined,
  branchName: environment.branch ?? null,
  paused: false,
});

const environmentKey = ({ project }: ProjectDeps, request: Request, apiKey: string): Response =>
  Response.json({
    apiKey,
    name: project.name,
    apiUrl: new URL(request.url).origin,
    projectId: project.id,
    defaultRuntime: "node",
  });

function person(gates: Gates, request: Request): PersonalPrincipal {
  try {
    return gates.personal(request.headers);
  } catch (thrown) {
    if (thrown instanceof Unauthenticated) throw new Unauthenticated("Invalid or Missing Access Token");
    throw thrown;
  }
}

/** An API key asking about its environment is given itself, whatever the path says. */
async function apiKeyOf(gates: Gates, headers: Headers): Promise<string | undefined> {
  try {
    return (await gates.keys(headers)).token;
  } catch (thrown) {
    if (thrown instanceof Unauthenticated) return undefined;
    throw thrown;
  }
}

function findEnvironment(
  deps: ProjectDeps,
  userId: string,
  params: Record<string, string>,
  headers: Headers,
): Environment | Response {
  const environments = deps.projectEnvironments(userId, params.projectRef ?? "");
  if (environments === undefined) return error(404, "Project not found");
  const type = TYPES[params.env ?? ""];
  const root = environments.find((one) => one.type === type && one.parentId === undefined);
  if (root === undefined) return error(404, "Environment not found");
  if (headers.get("x-trigger-branch") === null) return root;
  try {
    return selectBranch(root, headers, deps.credentials);
  } catch (thrown) {
    if (thrown instanceof Unauthenticated) return error(404, "Branch not found");
    throw thrown;
  }
}

async function refusing(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof Unauthenticated) return error(401, thrown.message);
    throw thrown;
  }
}
