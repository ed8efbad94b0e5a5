/** Headless Chromium, from npm alone, with a host's page in it that shows the run view. */
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { build } from "esbuild";
import { type Browser, type Frame, type Page, chromium as playwright } from "playwright-core";
import { apps } from "../../src/apps/index.ts";

export interface ToolResult {
  content: unknown[];
  structuredContent?: unknown;
  isError?: boolean;
  _meta?: Record<string, unknown>;
}

export interface ModelContext {
  content?: { type: string; text: string }[];
}

export interface Shown {
  page: Page;
  /** The view's own document. */
  frame: Frame;
  /** Everything the console and the content policy complained about. */
  complaints: string[];
  result(result: ToolResult, input?: object): Promise<void>;
  cancelled(): Promise<void>;
  /** Tells the view that the host looks different now. */
  changed(context: object): Promise<void>;
  about(): Promise<unknown>;
  seen(): Promise<{ contexts: ModelContext[]; sizes: { width: number; height: number }[] }>;
  teardown(): Promise<unknown>;
}

export async function launch(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own arguments: those are for one page in one process, without the browser's web security.
    args: ["--no-sandbox"],
    headless: true,
  });
}

async function hostScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "host-page.js")],
    bundle: true,
    format: "iife",
    platform: "browser",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

let host: Promise<string> | undefined;

/** Opens the run view in a page of its own, greeted by the host and waiting for a result. */
export async function openRunView(
  browser: Browser,
  hostContext: object = { theme: "light" },
): Promise<Shown> {
  const page = await browser.newPage({ viewport: { width: 820, height: 700 } });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(about|data):/.test(request.url())) complaints.push(`it asked for ${request.url()}`);
  });
  await page.setContent("<!doctype html><title>host</title><body></body>");
  host ??= hostScript();
  await page.addScriptTag({ content: await host });
  const html = await apps[0]?.html();
  await page.evaluate(`openApp(${JSON.stringify(html)}, ${JSON.stringify(hostContext)})`);
  const frame = page.frames()[1];
  if (!frame) throw new Error("the view has no frame");
  const ask = <T>(call: string) => page.evaluate<T>(`app.${call}`);
  return {
    page,
    frame,
    complaints,
    result: (result, input = {}) => ask(`result(${JSON.stringify(input)}, ${JSON.stringify(result)})`),
    cancelled: () => ask("cancelled()"),
    changed: (context) => ask(`changed(${JSON.stringify(context)})`),
    about: () => ask("about()"),
    seen: () => ask("seen"),
    teardown: () => ask("teardown()"),
  };
}
