/** A run's whole trace, contract api.md 1.3: the tree where it holds everything, pages where it does not. */
import type { Trace } from "../domain/trace.ts";
import type { CallOptions } from "./api.ts";
import type { Caller, CallRequest } from "./caller.ts";
import { apiPath } from "./path.ts";
import { parseJson, unexpected } from "./wire/answer.ts";
import { joinTracePages, Misfit, readTracePage, readTree, type TracePage } from "./wire/trace.ts";

const LIMIT = 128 * 1024 * 1024;
const PAGE_SIZE = "10000";
/** A server that never stops turning pages is broken. */
const MOST_PAGES = 100;

export async function fetchTrace(caller: Caller, id: string, options?: CallOptions): Promise<Trace> {
  const request: CallRequest = {
    method: "GET",
    path: apiPath`/api/v1/runs/${id}/trace`,
    need: ["read:runs"],
    repeat: "always",
    slow: true,
    limit: LIMIT,
  };
  const fetchBody = async (query?: Record<string, string>): Promise<unknown> => {
    const answer = await caller.send({ ...request, ...(query && { query }) }, options);
    return parseJson(request, answer.text);
  };
  try {
    const body = await fetchBody();
    const tree = readTree(body);
    // The tree comes first because it alone carries exceptions; a truncated one is completed from pages.
    if (tree && !tree.truncated) return tree;
    const first = tree ? await fetchBody({ "page[size]": PAGE_SIZE }) : body;
    if (tree && readTree(first)) return tree;
    const paged = joinTracePages(await restOfPages(readTracePage(first), fetchBody));
    return tree ? { ...withTree(paged, tree) } : paged;
  } catch (error) {
    throw error instanceof Misfit ? unexpected(request, error.message) : error;
  }
}

async function restOfPages(
  first: TracePage,
  fetchBody: (query: Record<string, string>) => Promise<unknown>,
): Promise<TracePage[]> {
  const pages = [first];
  const seen = new Set<string>();
  let next = first.next;
  while (next !== undefined) {
    if (seen.has(next) || pages.length >= MOST_PAGES) throw new Misfit("pages that do not end");
    seen.add(next);
    const page = readTracePage(await fetchBody({ "page[size]": PAGE_SIZE, "page[after]": next }));
    pages.push(page);
    next = page.next;
  }
  return pages;
}

/** Every span of the pages, each as the tree has it where it does. */
function withTree(paged: Trace, tree: Trace): Trace {
  const known = new Map(tree.spans.map((span) => [span.id, span]));
  const spans = paged.spans.map((span) => known.get(span.id) ?? span);
  return { ...paged, ...(tree.traceId !== undefined && { traceId: tree.traceId }), spans };
}
