/** Environments and the credentials that lead to them, contract auth.md 1 and 4. */
import type { Environment } from "../engine/types.ts";
import { type Columns, createCodec, type Row } from "./columns.ts";
import type { Db } from "./db.ts";

const COLUMNS: Columns<Environment> = {
  id: "plain",
  slug: "plain",
  type: "plain",
  rootKey: "plain",
  projectId: "plain",
  projectRef: "plain",
  parentId: "plain",
  branch: "plain",
};

export interface EnvironmentStore {
  insert(environment: Environment): void;
  all(): Environment[];
  byId(id: string): Environment | undefined;
  /** Branches share their parent's key, which means the parent. */
  byRootKey(key: string): Environment | undefined;
  branch(parent: Environment, name: string): Environment | undefined;
  addKey(key: string, environment: Environment, scopes: string[]): void;
  additional(key: string): { environment: Environment; scopes: string[] } | undefined;
  addPersonalToken(token: string, userId: string): void;
  /** The user a personal access token stands for. */
  user(personalToken: string): string | undefined;
}

export function createEnvironmentStore(db: Db): EnvironmentStore {
  const codec = createCodec(COLUMNS);
  const select = `SELECT ${codec.names} FROM environments`;
  const insert = db.prepare(`INSERT INTO environments (${codec.names}) VALUES (${codec.placeholders})`);
  const all = db.prepare(`${select} ORDER BY rowid`);
  const byId = db.prepare(`${select} WHERE id = ?`);
  const byRootKey = db.prepare(`${select} WHERE root_key = ? AND parent_id IS NULL`);
  const branch = db.prepare(`${select} WHERE parent_id = ? AND branch = ?`);
  const addKey = db.prepare("INSERT INTO additional_keys (key, environment_id, scopes) VALUES (?, ?, ?)");
  const keyed = db.prepare("SELECT environment_id, scopes FROM additional_keys WHERE key = ?");
  const addToken = db.prepare("INSERT INTO personal_tokens (token, user_id) VALUES (?, ?)");
  const user = db.prepare("SELECT user_id FROM personal_tokens WHERE token = ?");

  const one = (row: unknown) => (row === undefined ? undefined : codec.fromRow(row as Row));

  return {
    insert: (environment) => void insert.run(codec.toRow(environment)),
    all: () => (all.all() as Row[]).map(codec.fromRow),
    byId: (id) => one(byId.get(id)),
    byRootKey: (key) => one(byRootKey.get(key)),
    branch: (parent, name) => one(branch.get(parent.id, name)),
    addKey: (key, environment, scopes) => void addKey.run(key, environment.id, JSON.stringify(scopes)),
    additional: (key) => {
      const row = keyed.get(key) as { environment_id: string; scopes: string } | undefined;
      const environment = row && one(byId.get(row.environment_id));
      return row && environment && { environment, scopes: JSON.parse(row.scopes) as string[] };
    },
    addPersonalToken: (token, userId) => void addToken.run(token, userId),
    user: (token) => (user.get(token) as { user_id: string } | undefined)?.user_id,
  };
}
