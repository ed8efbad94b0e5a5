/** What an app is: a page that hosts with MCP Apps show beside a tool's answer. The tool names it by its URI. */
export interface AppDefinition {
  /** `ui://…`, what the tool's `app` says. */
  uri: string;
  /** snake_case, unique. */
  name: string;
  title: string;
  description: string;
  /** One self-contained HTML document: it loads nothing, from nowhere. */
  html(): Promise<string>;
}
