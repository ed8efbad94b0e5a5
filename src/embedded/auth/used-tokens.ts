/** One-time public tokens, contract auth.md 5: the first accepted use stores a digest of the whole token. */
import { createHash } from "node:crypto";
import type { Db } from "../store/db.ts";
import type { EnvironmentPrincipal } from "./principal.ts";

export interface UsedTokens {
  /** False when the principal's token is one-time and was used before. */
  claim(principal: EnvironmentPrincipal): boolean;
}

export function createUsedTokens(db: Db): UsedTokens {
  const insert = db.prepare("INSERT OR IGNORE INTO used_tokens (digest, used_at) VALUES (?, ?)");
  return {
    claim: (principal) => {
      if (principal.kind !== "public" || !principal.claims.otu) return true;
      const digest = createHash("sha256").update(principal.token).digest("hex");
      return insert.run(digest, Date.now()).changes === 1;
    },
  };
}
