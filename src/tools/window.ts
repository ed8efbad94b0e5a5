/** The time arguments of lists, checked here: the server takes an unreadable period for no lower bound at all (api.md 1.1). */
import { TriggerError } from "../domain/errors.ts";
import type { Window } from "../views/runs.ts";

export interface WindowArguments {
  period?: string | undefined;
  from?: string | number | undefined;
  to?: string | number | undefined;
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of `90s`, `15m`, `1h`, `7d`, `2w`; anything else is refused. */
export function periodMs(period: string): number {
  const match = /^(\d{1,6})\s?([smhdw])$/.exec(period.trim());
  const unit = UNITS[match?.[2] ?? ""];
  if (!match || unit === undefined || Number(match[1]) === 0) {
    throw new TriggerError(
      "invalid_request",
      `"period" takes a number and a unit: 30m, 6h, 7d; not "${period}".`,
    );
  }
  return Number(match[1]) * unit;
}

/** Unix milliseconds of an ISO date or of epoch milliseconds; `name` is the argument a refusal names. */
export function instantMs(value: string | number, name: string): number {
  const time =
    typeof value === "number" ? value : /^\d{12,14}$/.test(value) ? Number(value) : Date.parse(value);
  if (Number.isFinite(time) && Math.abs(time) <= 8.64e15) return time;
  throw new TriggerError(
    "invalid_request",
    `"${name}" takes an ISO date (2026-08-20T10:00:00Z) or epoch milliseconds; not "${value}".`,
  );
}

/** Always explicit, so that what an answer says of its window is what was asked: without arguments `fallback`. */
export function windowOf(asked: WindowArguments, fallback: string): Window {
  const from = asked.from === undefined ? undefined : instantMs(asked.from, "from");
  const to = asked.to === undefined ? undefined : instantMs(asked.to, "to");
  if (from !== undefined && to !== undefined && from > to) {
    throw new TriggerError("invalid_request", `"from" is later than "to".`);
  }
  // The API counts a period back from now, so that one before "to" has to be a date.
  if (to !== undefined && from === undefined && asked.period === undefined) {
    return { from: to - periodMs(fallback), to };
  }
  const period = asked.period ?? (from === undefined ? fallback : undefined);
  if (period !== undefined) periodMs(period);
  return {
    ...(period !== undefined && { period: period.trim().replace(" ", "") }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}
