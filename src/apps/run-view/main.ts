/** The run view: greets the host, shows the trace that comes with the tool's result, tells what a person looks at. */
import { call, formatCall } from "../../domain/calls.ts";
import { isBadEnd } from "../../domain/status.ts";
import { counted, duration } from "../../views/format.ts";
import { RUN_VIEW, type RunViewData } from "../../views/run-view-shape.ts";
import { connectHost, PROTOCOL_VERSION } from "./bridge.ts";
import { document, element, ResizeObserver, window } from "./dom.ts";
import { applyTheme } from "./theme.ts";
import { has, type Row } from "./tree.ts";
import { createWaterfall } from "./waterfall.ts";

const page = element("div", "page", element("p", "note", "Waiting for the trace…"));
document.body.append(page);

const host = connectHost(
  new Map([
    ["ui/notifications/tool-result", show],
    ["ui/notifications/tool-cancelled", () => tell("Cancelled: there is no trace to show.")],
    ["ui/notifications/host-context-changed", applyTheme],
    ["ui/resource-teardown", end],
    ["ping", () => {}],
  ]),
);

const size = new ResizeObserver(() =>
  host.notify("ui/notifications/size-changed", {
    width: window.innerWidth,
    height: Math.ceil(document.documentElement.getBoundingClientRect().height),
  }),
);

interface Greeting {
  hostContext?: unknown;
  hostCapabilities?: { updateModelContext?: unknown };
}

const greeting = (await host.request("ui/initialize", {
  protocolVersion: PROTOCOL_VERSION,
  appInfo: { name: "trigger-mcp run view", version: "1" },
  appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
})) as Greeting;
const listens = greeting.hostCapabilities?.updateModelContext !== undefined;
applyTheme(greeting.hostContext);
host.notify("ui/notifications/initialized", {});
size.observe(document.documentElement);

function end(): void {
  size.disconnect();
  host.close();
}

function tell(words: string): void {
  page.replaceChildren(element("p", "note", words));
}

interface Result {
  content?: { type?: string; text?: string }[];
  _meta?: Record<string, unknown>;
}

/** A host that passes on no `_meta`, or a call that failed, leaves the text to be shown. */
function show(result: Result): void {
  const data = result._meta?.[RUN_VIEW.key] as RunViewData | undefined;
  const texts = (result.content ?? []).map(({ text = "" }) => text);
  if (data === undefined) page.replaceChildren(element("pre", "", texts.join("\n")));
  else draw(data);
}

function draw(data: RunViewData): void {
  const detail = element("div", "detail");
  detail.setAttribute("role", "status");
  const waterfall = createWaterfall(data, (row) => {
    const lines = [element("div", "what", row.span[2]), element("div", "facts", factsOf(row, data))];
    const failure = row.span[7];
    detail.replaceChildren(...lines, ...(failure === undefined ? [] : [element("div", "why", failure)]));
    share(row, data);
  });
  const [run = ""] = data.runs;
  const took = data.took === undefined ? [] : [duration(data.took)];
  page.replaceChildren(
    element(
      "div",
      "title",
      element("h1", "", data.task),
      element("span", isBadEnd(data.status) ? "status bad" : "status", data.status),
      element("span", "facts", [...took, data.target, run].join(" · ")),
      element(
        "span",
        data.errors > 0 ? "counts bad" : "counts",
        `${counted(data.total, "span")} · ${counted(data.errors, "error")}`,
      ),
    ),
    ...data.notes.map((note) => element("p", "note", note)),
    ...(data.total === 0 ? [element("p", "note", "There are no spans.")] : [...waterfall.parts, detail]),
  );
  waterfall.settle();
}

const STATES = [
  ["error", "failed"],
  ["open", "still open"],
  ["cancelled", "cancelled"],
] as const;

/** `#c3d4 · run_… · at 3.1s · took 1.2s · failed` */
function factsOf(row: Row, data: RunViewData): string {
  const [id, , , at, took, , run] = row.span;
  const states = STATES.filter(([flag]) => has(row, flag)).map(([, word]) => word);
  return [`#${id}`, data.runs[run], `at ${duration(at)}`, `took ${duration(took)}`, ...states].join(" · ");
}

/** Names and failures come from the run: to the model they are quoted data. A host may refuse; nothing depends on it. */
function share(row: Row, data: RunViewData): void {
  if (!listens) return;
  const [id, , name, , , , , failure] = row.span;
  const quoted = (text: string) => JSON.stringify(text);
  const details = formatCall(call("get_span", { run_id: data.runs[0], span_id: id }));
  const text = [
    `In the run view the user looks at span ${quoted(name)}: ${factsOf(row, data)}.`,
    ...(failure === undefined ? [] : [`It failed with ${quoted(failure)}.`]),
    `Details: ${details}`,
  ].join("\n");
  host.request("ui/update-model-context", { content: [{ type: "text", text }] }).catch(() => {});
}
