/** The object store: payloads, outputs and snapshots that travel by presigned URL, contract api.md 2.8. */
import type { Db } from "./db.ts";

export interface StoredObject {
  contentType: string;
  body: Buffer;
}

export interface Objects {
  get(path: string): StoredObject | undefined;
  /** Replaces what was there. */
  put(path: string, object: StoredObject): void;
}

export function createObjects(db: Db): Objects {
  const select = db.prepare("SELECT content_type AS contentType, body FROM objects WHERE path = ?");
  const upsert = db.prepare(
    "INSERT INTO objects (path, content_type, body, stored_at) VALUES (?, ?, ?, ?) " +
      "ON CONFLICT (path) DO UPDATE SET content_type = excluded.content_type, body = excluded.body, stored_at = excluded.stored_at",
  );
  return {
    get: (path) => select.get(path) as StoredObject | undefined,
    put: (path, { contentType, body }) => {
      upsert.run(path, contentType, body, Date.now());
    },
  };
}
