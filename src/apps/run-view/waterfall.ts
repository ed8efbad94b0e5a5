/** The rows on the page: a tree of spans with bars over time, for the mouse and for the keyboard. */
import { count, duration } from "../../views/format.ts";
import type { RunViewData } from "../../views/run-view-shape.ts";
import { document, element, type PageElement, type UiKeyEvent } from "./dom.ts";
import { firstFailure, found, has, inSight, lengthOf, type Row, rowsOf, tickStep } from "./tree.ts";

/** Deeper levels are not indented any further: the name needs the room. */
const MOST_INDENTS = 16;

export interface Waterfall {
  /** Goes on the page: the head with the filter and the time axis, and the tree. */
  readonly parts: PageElement[];
  /** Brings into sight what is worth looking at first; once the parts are on the page. */
  settle(): void;
}

/** `onLook` is told of every span a person chooses. */
export function createWaterfall(data: RunViewData, onLook: (row: Row) => void): Waterfall {
  const rows = rowsOf(data.spans);
  const length = lengthOf(data.spans);
  const lines = rows.map((row) => drawRow(row, length));
  const tree = element("div", "tree", ...lines);
  tree.setAttribute("role", "tree");
  tree.setAttribute("aria-label", "Spans");
  tree.style.setProperty("--step", `${(tickStep(length) / length) * 100}%`);
  const filter = document.createElement("input");
  filter.type = "search";
  filter.placeholder = `Filter ${count(rows.length)} spans`;
  filter.setAttribute("aria-label", "Filter spans");
  const hitCount = element("span", "hits");
  hitCount.setAttribute("role", "status");

  let hits = rows;
  let visible = rows;
  let current: Row | undefined;
  let chosen: Row | undefined;

  const lineOf = (row: Row | undefined): PageElement | undefined => row && lines[row.place];

  function refresh(): void {
    visible = inSight(rows, hits);
    const seen = new Set(visible);
    for (const row of rows) {
      const line = lines[row.place];
      if (!line) continue;
      line.hidden = !seen.has(row);
      if (row.children.length > 0) line.setAttribute("aria-expanded", String(row.open));
    }
    if (!current || !seen.has(current)) makeCurrent(visible[0]);
  }

  /** The one row the tab key reaches. */
  function makeCurrent(row: Row | undefined): void {
    const [before, line] = [lineOf(current), lineOf(row)];
    if (before) before.tabIndex = -1;
    if (line) line.tabIndex = 0;
    current = row;
  }

  function bringIntoSight(line: PageElement): void {
    const below = line.offsetTop + line.offsetHeight - tree.clientHeight;
    tree.scrollTop = Math.max(below, Math.min(tree.scrollTop, line.offsetTop));
  }

  function moveTo(row: Row | undefined): void {
    const line = lineOf(row);
    if (!line) return;
    makeCurrent(row);
    line.focus({ preventScroll: true });
    bringIntoSight(line);
  }

  function toggle(row: Row, open = !row.open): void {
    row.open = open;
    refresh();
  }

  function look(row: Row): void {
    lineOf(chosen)?.setAttribute("aria-selected", "false");
    lineOf(row)?.setAttribute("aria-selected", "true");
    chosen = row;
    onLook(row);
  }

  function press(row: Row, key: string): boolean {
    const place = visible.indexOf(row);
    const closes = row.open && row.children.length > 0;
    if (key === "ArrowDown") moveTo(visible[place + 1]);
    else if (key === "ArrowUp") moveTo(visible[place - 1]);
    else if (key === "Home") moveTo(visible[0]);
    else if (key === "End") moveTo(visible.at(-1));
    else if (key === "ArrowRight") row.open ? moveTo(row.children[0]) : toggle(row, true);
    else if (key === "ArrowLeft") closes ? toggle(row, false) : moveTo(row.parent);
    else if (key === " ") look(row);
    else if (key === "Enter") {
      toggle(row);
      look(row);
    } else return false;
    return true;
  }

  const rowAt = (target: PageElement): Row | undefined =>
    rows[Number(target.closest(".row")?.dataset.place ?? Number.NaN)];

  tree.addEventListener("click", ({ target }) => {
    const row = rowAt(target);
    if (!row) return;
    moveTo(row);
    if (target.closest(".twist") && row.children.length > 0) toggle(row);
    else look(row);
  });
  tree.addEventListener("keydown", (event: UiKeyEvent) => {
    const row = rowAt(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    if (press(row, event.key)) event.preventDefault();
  });
  filter.addEventListener("input", () => {
    hits = found(rows, filter.value);
    hitCount.textContent = hits.length === rows.length ? "" : `${count(hits.length)} found`;
    refresh();
  });
  filter.addEventListener("keydown", (event: UiKeyEvent) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    moveTo(visible[0]);
  });

  refresh();
  return {
    parts: [element("div", "head", element("div", "find", filter, hitCount), drawAxis(length)), tree],
    settle() {
      const row = (data.focus !== undefined && rows[data.focus]) || firstFailure(rows);
      const line = lineOf(row);
      if (!line) return;
      makeCurrent(row);
      tree.scrollTop = Math.max(0, line.offsetTop - tree.clientHeight / 2);
    },
  };
}

function drawRow(row: Row, length: number): PageElement {
  const [, , name, at, took, , , failure] = row.span;
  const state = STATES.find((flag) => has(row, flag));
  const bar = element("div", "bar");
  bar.style.setProperty("left", `${(at / length) * 100}%`);
  bar.style.setProperty("width", `${(took / length) * 100}%`);
  const label = element("span", "label", name);
  const title = element("div", "name", element("span", "twist"), label);
  if (state !== undefined) title.append(element("span", "mark", MARKS[state]));
  if (failure !== undefined) title.append(element("span", "failure", failure));
  const line = element(
    "div",
    `row ${state ?? ""}`,
    title,
    element("div", "track", bar),
    element("div", "took", duration(took)),
  );
  line.dataset.place = String(row.place);
  line.tabIndex = -1;
  line.style.setProperty("--level", String(Math.min(row.depth, MOST_INDENTS)));
  const described = { role: "treeitem", "aria-level": row.depth + 1, "aria-selected": false };
  for (const [attribute, value] of Object.entries(described)) line.setAttribute(attribute, String(value));
  line.setAttribute("title", failure === undefined ? name : `${name}\n${failure}`);
  return line;
}

/** The first one that holds is how the row looks. */
const STATES = ["error", "cancelled", "open", "warning"] as const;
const MARKS = { error: "✗", cancelled: "cancelled", open: "open…", warning: "!" } as const;

/** Nearer to the end its words would not fit. */
const LAST_TICK = 0.94;

function drawAxis(length: number): PageElement {
  const axis = element("div", "axis");
  const step = tickStep(length);
  for (let at = 0; at < length * LAST_TICK; at += step) {
    const tick = element("span", "tick", duration(at));
    tick.style.setProperty("left", `${(at / length) * 100}%`);
    axis.append(tick);
  }
  return axis;
}
