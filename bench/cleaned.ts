/** How progress is cleaned where it is shown. */
import { createCleaner } from "../src/views/clean.ts";
import { unfinished } from "../src/views/unfinished.ts";

export const cleaned = () => ({ clean: createCleaner({ redact: true }), unfinished });
