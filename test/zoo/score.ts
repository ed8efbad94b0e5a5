/** Asks `diagnose_run` about an exhibit, in one call, and compares what it says with what a good engineer says. */
import type { ToolAnswer } from "../../src/server/pipeline.ts";
import { o200k } from "../support/o200k.ts";
import { openExhibit } from "./load.ts";
import type { Exhibit } from "./scenario.ts";

/** What an answer may cost. */
export const MOST_TOKENS = 1_500;

export interface Score {
  name: string;
  verdict: string;
  /** What was wrong, each in a line; empty when nothing was. */
  misses: string[];
  tokens: number;
  /** API requests it took. */
  requests: number;
  /** What a reader would read. */
  text: string;
}

export async function score(exhibit: Exhibit): Promise<Score> {
  const open = await openExhibit(exhibit);
  try {
    const answer = await open.call("diagnose_run", { run_id: exhibit.run });
    const { verdict } = answer.structured as Partial<Diagnosis>;
    return {
      name: exhibit.name,
      verdict: verdict?.class ?? "none",
      misses: missesOf(exhibit, answer),
      tokens: o200k(answer.text),
      requests: open.requests(),
      text: answer.text,
    };
  } finally {
    await open.close();
  }
}

/** What a good engineer would object to in an answer. */
export function missesOf(exhibit: Exhibit, { text, structured, isError }: ToolAnswer): string[] {
  const { verdict, culprit } = structured as Partial<Diagnosis>;
  const tokens = o200k(text);
  return [
    ...(isError ? ["it is an error"] : []),
    ...missesOfVerdict(exhibit, verdict?.class),
    ...missesOfCulprit(exhibit, culprit),
    ...missesOfText(exhibit, text),
    ...unknownIds(exhibit, text, structured),
    ...(tokens > MOST_TOKENS ? [`${tokens} tokens are more than ${MOST_TOKENS}`] : []),
  ];
}

interface Diagnosis {
  verdict: { class: string };
  culprit: { run_id: string; span_id?: string };
}

const missesOfVerdict = ({ expect }: Exhibit, said: string | undefined): string[] =>
  said === expect.class ? [] : [`class ${said} instead of ${expect.class}`];

function missesOfCulprit({ expect, rows }: Exhibit, culprit: Diagnosis["culprit"] | undefined): string[] {
  const runs = [expect.culprit.run].flat();
  const spans = [expect.culprit.span ?? []].flat();
  const runName = (id: string | undefined) =>
    rows.runs.find(({ friendlyId }) => friendlyId === id)?.task ?? id;
  const spanName = (id: string | undefined) =>
    rows.spans.find(({ spanId }) => id !== undefined && spanId.startsWith(id))?.message ?? id;
  const misses: string[] = [];
  if (!runs.includes(culprit?.run_id ?? "")) {
    misses.push(
      `culprit run ${culprit?.run_id} (${runName(culprit?.run_id)}) instead of ${runs[0]} (${runName(runs[0])})`,
    );
  }
  if (spans.length > 0 && !spans.some((id) => culprit?.span_id && id.startsWith(culprit.span_id))) {
    const said = culprit?.span_id;
    misses.push(`culprit span ${said} (${spanName(said)}) instead of ${spans[0]} (${spanName(spans[0])})`);
  }
  return misses;
}

const says = (text: string, what: string | RegExp): boolean =>
  typeof what === "string" ? text.includes(what) : what.test(text);

const missesOfText = ({ expect }: Exhibit, text: string): string[] => [
  ...expect.evidence.filter((what) => !what.test(text)).map((what) => `does not say ${what}`),
  ...(expect.absent ?? []).filter((what) => says(text, what)).map((what) => `says ${what}`),
];

/** Every run and span that is named, in words or as a value, has to exist. */
function unknownIds({ rows }: Exhibit, text: string, structured: Record<string, unknown>): string[] {
  const said = `${text}\n${JSON.stringify(structured)}`;
  const runs = [...said.matchAll(/\brun_c[0-9a-z]{5,}/g)].map(([id]) => id);
  const spans = [...said.matchAll(/(?:#|"(?:span_id|focus)":")([0-9a-f]{4,16})\b/g)].map(([, id = ""]) => id);
  const unknown = [
    ...runs.filter((id) => !rows.runs.some(({ friendlyId }) => friendlyId.startsWith(id))),
    ...spans.filter((id) => !rows.spans.some(({ spanId }) => spanId.startsWith(id))),
  ];
  return [...new Set(unknown)].map((id) => `names ${id}, which does not exist`);
}
