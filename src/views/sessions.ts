/** A list of sessions: what was asked, rows with constants hoisted, and how to go on. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { Page } from "../domain/run.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import { sessionStatus } from "../domain/status.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { render } from "./document.ts";
import { age, count, counted, oneLine } from "./format.ts";
import { type Column, table } from "./table.ts";

type Asked = Record<string, unknown>;

const NOT_FILTERS = new Set(["limit", "cursor", "max_tokens", "target"]);

export function viewSessions(page: Page<Session>, context: ViewContext, asked: Asked): Answer {
  const sessions = page.items;
  const rows = table(sessions, columns(context));
  const narrower = call("list_sessions", { ...asked, limit: Math.max(1, Math.ceil(sessions.length / 2)) });
  const next = nextCalls(page, asked);
  const rendering = (onwards: readonly Call[], cut = false) =>
    render(
      [
        headOf(page, rows.constants, context, asked, cut),
        rows.head,
        {
          rows: rows.rows.map((text) => ({ text })),
          omitted: (shown, total) => `… ${count(total - shown)} rows did not fit: ${formatCall(narrower)}`,
        },
        onwards.length === 0 ? undefined : `next ${onwards.map(formatCall).join("\n     ")}`,
      ],
      context.budget,
    );
  const all = rendering(next);
  const whole = all.shown === sessions.length;
  // The next page would skip what is left out of this one: then only the call that shows it is told.
  const rendered = whole ? all : rendering([], true);
  return {
    text: rendered.text,
    structured: {
      sessions: sessions.slice(0, rendered.shown).map((session) => ({
        id: session.id,
        ...(session.externalId !== undefined && { external_id: session.externalId }),
        status: sessionStatus(session, context.now),
      })),
      // A cursor past rows that were not shown would lose them.
      ...(whole && page.next !== undefined && { cursor: page.next }),
      next: whole ? next : [narrower],
    },
  };
}

function headOf(
  page: Page<Session>,
  constants: string | undefined,
  context: ViewContext,
  asked: Asked,
  cut: boolean,
): string {
  const whole = page.next === undefined && asked.cursor === undefined;
  const many = page.items.length;
  const total = whole
    ? counted(many, "session")
    : `${cut ? `a page of ${many}` : `${many} shown`}, ${page.next === undefined ? "the last page" : "more exist"}`;
  const given = Object.entries(asked).filter(
    ([name, value]) => !NOT_FILTERS.has(name) && value !== undefined,
  );
  const filters =
    given.length === 0
      ? "all time, no filter"
      : oneLine(context.clean(given.map(([name, value]) => `${name} ${String(value)}`).join(", ")), 300);
  return [`sessions in ${context.target}`, filters, total, "newest first", constants]
    .filter((part) => part !== undefined)
    .join(" · ");
}

function columns(context: ViewContext): Column<Session>[] {
  const cell = (text: string | undefined, length = 40): string =>
    text === undefined || text === "" ? "-" : oneLine(context.clean(text), length);
  return [
    { head: "session", cell: (session) => cell(sessionKey(session), 64) },
    { head: "task", cell: (session) => cell(session.task), hoist: true },
    { head: "type", cell: (session) => cell(session.type), hoist: true },
    { head: "status", cell: (session) => sessionStatus(session, context.now), hoist: true },
    { head: "age", cell: (session) => age(session.createdAt, context.now) },
    { head: "changed", cell: (session) => age(session.updatedAt, context.now) },
    { head: "run", cell: (session) => cell(session.currentRunId, 64) },
    { head: "tags", cell: (session) => cell(session.tags.join(","), 60), hoist: true },
  ];
}

function nextCalls({ items, next }: Page<Session>, asked: Asked): Call[] {
  const [newest] = items;
  const { cursor: _, ...filters } = asked;
  if (next !== undefined) return [call("list_sessions", { ...filters, cursor: next })];
  if (newest) return [call("get_session", { session: sessionKey(newest) })];
  const unfiltered = Object.keys(filters).filter((name) => !NOT_FILTERS.has(name)).length === 0;
  return unfiltered ? [] : [call("list_sessions")];
}
