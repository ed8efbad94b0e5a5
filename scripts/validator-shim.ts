/**
 * Stands in for the SDK's `_shims` in the bundle: its light validator instead of AJV (154 kB), and node's own process
 * (the SDK's worker shim has a stub, which breaks stdio). The validator only serves elicitation, which we do not use.
 */
export { default as process } from "node:process";
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";
