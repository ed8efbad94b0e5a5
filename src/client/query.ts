/** List queries as the API spells them, contract api.md 1.1 and 4.3. */
import { TriggerError } from "../domain/errors.ts";
import type { RunListQuery } from "../domain/run.ts";
import type { SessionListQuery } from "../domain/session.ts";

type Query = Record<string, string>;
type Values = Record<string, string | string[] | number | boolean | undefined>;

export function runListQuery(query: RunListQuery): Query {
  return {
    ...pageQuery(query),
    ...filters({
      status: query.status,
      taskIdentifier: query.task,
      tag: query.tag,
      version: query.version,
      queue: query.queue,
      schedule: query.schedule,
      batch: query.batch,
      bulkAction: query.bulkAction,
      error: query.error,
      machine: query.machine,
      region: query.region,
      isTest: query.isTest,
    }),
  };
}

/** One value each: the server does not split what is joined here (4.3, the multi-value quirk). */
export function sessionListQuery(query: SessionListQuery): Query {
  return {
    ...pageQuery(query),
    ...filters({
      type: query.type,
      tags: query.tag,
      taskIdentifier: query.task,
      externalId: query.externalId,
      status: query.status,
    }),
  };
}

/** Dates go as epoch milliseconds, the one form both lists read. Sessions refuse both cursors at once; so we never do. */
function pageQuery(query: RunListQuery | SessionListQuery): Query {
  const { limit, after, before, period, from, to } = query;
  return filled({
    "page[size]": limit,
    "page[before]": before,
    "page[after]": before === undefined ? after : undefined,
    "filter[createdAt][period]": period,
    "filter[createdAt][from]": from === undefined ? undefined : Math.floor(from),
    "filter[createdAt][to]": to === undefined ? undefined : Math.ceil(to),
  });
}

function filters(values: Values): Query {
  return filled(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`filter[${name}]`, value])),
  );
}

function filled(values: Values): Query {
  const query: Query = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!Array.isArray(value)) query[name] = String(value);
    else if (value.length > 0) query[name] = joined(name, value);
  }
  return query;
}

function joined(name: string, values: string[]): string {
  const split = values.find((value) => value.includes(","));
  if (split !== undefined) {
    throw new TriggerError(
      "invalid_request",
      `${name} cannot hold ${JSON.stringify(split)}: the API reads a comma as the end of a value.`,
    );
  }
  return values.join(",");
}
