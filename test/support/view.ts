/** A view context with everything fixed, so that answers can be compared word for word. */
import type { ViewContext } from "../../src/views/answer.ts";
import { createCleaner } from "../../src/views/clean.ts";
import { CREATED } from "./api.ts";

export const aView = (rest: Partial<ViewContext> = {}): ViewContext => ({
  budget: 2_000,
  now: CREATED + 4 * 60_000,
  target: "dev",
  clean: createCleaner({ redact: true }),
  nonce: "a1b2c3d4",
  ...rest,
});
