/** What a resource is: a URI or a template, how its variables complete, and how it reads. Markdown unless told. */
import type { TriggerApi } from "../client/api.ts";
import type { Permission } from "../domain/access.ts";
import type { ChannelRef } from "../domain/record.ts";
import type { ViewContext } from "../views/answer.ts";

export interface ResourceContext {
  api: TriggerApi;
  signal: AbortSignal;
  view: ViewContext;
}

export interface ResourceDefinition {
  /** snake_case, unique. */
  name: string;
  title: string;
  description: string;
  /** `trigger://runs` or a template such as `trigger://runs/{runId}/trace`. */
  uri: string;
  permission: Permission;
  /** Candidates for a template variable, given what is typed and the variables already known. At most 100. */
  complete?: Record<
    string,
    (typed: string, known: Record<string, string>, context: ResourceContext) => Promise<string[]>
  >;
  /**
   * The channels whose records change what is read, followed while somebody is subscribed. Absent where there is no
   * stream to follow: then it is read again and again. Throws as `read` does.
   */
  channels?(variables: Record<string, string>): ChannelRef[];
  /** Variables arrive percent-decoded. Throws {@link TriggerError} like a tool. */
  read(variables: Record<string, string>, context: ResourceContext): Promise<string>;
}
