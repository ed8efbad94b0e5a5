/** The real tokenizer, which only tests may afford. */
import { encode } from "gpt-tokenizer/encoding/o200k_base";

export const o200k = (text: string): number => encode(text, { disallowedSpecial: new Set() }).length;
