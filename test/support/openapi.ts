/** Checks bodies against the official OpenAPI document, corrected where the contract says the document is wrong. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import formats from "ajv-formats";

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document, walked by hand.
type Document = any;

const document: Document = JSON.parse(readFileSync(new URL("openapi-subset.json", import.meta.url), "utf8"));

/** Every deliberate deviation, with its reason; sections are those of the API contract. */
const CORRECTIONS: Record<string, (schemas: Document, paths: Document) => void> = {
  "6.5: the status enums are the legacy vocabulary and miss DEQUEUED, WAITING, TIMED_OUT and EXPIRED": (
    schemas,
  ) => {
    for (const name of ["CommonRunObject", "ListRunItem"]) {
      schemas[name].properties.status.enum.push("DELAYED", "DEQUEUED", "WAITING", "TIMED_OUT", "EXPIRED");
      schemas[name].properties.status.enum = [...new Set(schemas[name].properties.status.enum)];
    }
  },
  "1.2: payload and output are whatever JSON the task was given or returned, not only objects": (schemas) => {
    const { properties } = schemas.RetrieveRunResponse.allOf[1];
    properties.payload = {};
    properties.output = {};
  },
  "6.9: style.accessory is {items, style} and not {text, style}": (_, paths) => {
    const events =
      paths["/api/v1/runs/{runId}/events"].get.responses["200"].content["application/json"].schema;
    events.properties.events.items.properties.style.properties.accessory = { type: "object" };
  },
};

for (const correct of Object.values(CORRECTIONS)) correct(document.components.schemas, document.paths);

const ajv = new Ajv({ strict: false, allErrors: true });
// The package is CommonJS: its function arrives as the default of the default.
(formats as unknown as { default: (ajv: Ajv) => void }).default(ajv);
ajv.addSchema({ $id: "openapi", components: document.components, paths: document.paths });

/** What is wrong with a body, in words; empty when it is as documented. */
export function openApiErrors(method: string, path: string, status: number, body: unknown): string[] {
  const pointerStep = (part: string) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
  const steps = ["paths", path, method, "responses", String(status), "content", "application/json", "schema"];
  const validate = ajv.compile({ $ref: `openapi#/${steps.map(pointerStep).join("/")}` });
  if (validate(body)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
