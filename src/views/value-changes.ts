/** Differences between two JSON values, one line each: `customer.cards  [] → [1 item]`. */
import { sharedBeginning } from "../domain/shared-beginning.ts";
import type { Difference } from "../insight/json-diff.ts";
import { formatPath, type PathStep } from "../insight/json-path.ts";
import type { Clean } from "./clean.ts";
import { counted, oneLine } from "./format.ts";
import { isSecretName } from "./named-secrets.ts";

const LONGEST_PATH = 120;
const LONGEST_VALUE = 60;
/** Characters both texts share that are shown before the first that differs. */
const SHARED = 12;
/** Of a long text, what is looked at. */
const READ = 20_000;

export function changeLine({ path, left, right }: Difference, clean: Clean): string {
  const where = oneLine(clean(formatPath(path)), LONGEST_PATH);
  const name = nameOf(path);
  const [one, other] = [written(left, name, clean), written(right, name, clean)];
  const skipped = Math.max(0, sharedBeginning(one, other) - SHARED);
  const long = skipped > 0 && Math.max(one.length, other.length) > LONGEST_VALUE;
  const [from, to] = [one, other].map((text) =>
    oneLine(long && text.length > skipped ? `…${text.slice(skipped)}` : text, LONGEST_VALUE),
  );
  return `${where === "" ? "" : `${where}  `}${from} → ${to}`;
}

/** What a value is called: the key that makes it a secret, else the last. */
export function nameOf(path: readonly PathStep[]): string {
  const keys = path.filter((step) => typeof step === "string");
  return keys.find(isSecretName) ?? keys.at(-1) ?? "";
}

/** Small values as they are, large ones by their size. */
function written(value: unknown, name: string, clean: Clean): string {
  if (value === undefined) return "absent";
  if (typeof value === "string") return JSON.stringify(clean(value.slice(0, READ), name));
  if (typeof value !== "object" || value === null) return clean(JSON.stringify(value), name);
  const whole = isSmall(value) && !isSecretName(name) ? clean(JSON.stringify(value)) : "";
  if (whole !== "" && whole.length <= LONGEST_VALUE) return whole;
  const entries = Object.keys(value).length;
  return Array.isArray(value) ? `[${counted(entries, "item")}]` : `{${counted(entries, "key")}}`;
}

/** Few entries, none of them large: worth writing out to see whether it is short. */
function isSmall(value: object): boolean {
  const entries = Object.values(value);
  return (
    entries.length <= 4 &&
    entries.every((entry) =>
      typeof entry === "object" && entry !== null
        ? Object.values(entry).length <= 2 &&
          Object.values(entry).every((inner) => typeof inner !== "object" || inner === null)
        : true,
    )
  );
}
