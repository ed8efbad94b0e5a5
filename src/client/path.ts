/** The one way an id gets into a URL. */
import { TriggerError } from "../domain/errors.ts";

declare const built: unique symbol;

/** A path made by {@link apiPath}: everything variable in it is percent-encoded. */
export type ApiPath = string & { readonly [built]: true };

/** Longer than any id the API knows (external ids: 256 characters). */
const LONGEST_SEGMENT = 1024;

/**
 * Tag for paths: every value becomes exactly one segment. Throws `invalid_request` for values that cannot be one:
 * empty, `.`, `..`, with control characters or half a surrogate pair.
 */
export function apiPath(literals: TemplateStringsArray, ...values: string[]): ApiPath {
  return String.raw({ raw: literals }, ...values.map(segment)) as ApiPath;
}

/** A fixed last segment on a path. */
export const below = (path: ApiPath, leaf: "append" | "records"): ApiPath => `${path}/${leaf}` as ApiPath;

function segment(value: string): string {
  const refused =
    value === "" ||
    value === "." ||
    value === ".." ||
    value.length > LONGEST_SEGMENT ||
    /\p{Cc}|\p{Cs}/u.test(value);
  if (refused) {
    throw new TriggerError("invalid_request", `${JSON.stringify(value.slice(0, 80))} cannot be an id.`);
  }
  return encodeURIComponent(value);
}
