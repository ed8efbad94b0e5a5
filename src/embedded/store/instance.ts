/** What this installation is: made once, on the first start, and kept in its database. */
import { randomBytes } from "node:crypto";
import { cuid } from "../engine/ids.ts";
import type { Environment, EnvironmentType } from "../engine/types.ts";
import type { Db } from "./db.ts";
import type { EnvironmentStore } from "./environments.ts";
import { atomically } from "./transaction.ts";

export interface Instance {
  projectRef: string;
  projectId: string;
  organizationId: string;
  userId: string;
  createdAt: number;
  /** `tr_pat_…` of the one user. */
  personalToken: string;
  /** Signs presigned URLs. */
  urlSecret: string;
  /** The environment whose key is handed out. */
  development: Environment;
}

/** Keys to be used instead of random ones when the database is new. */
export interface GivenKeys {
  secretKey?: string;
}

const ENVIRONMENTS: [Environment["slug"], EnvironmentType][] = [
  ["dev", "DEVELOPMENT"],
  ["stg", "STAGING"],
  ["prod", "PRODUCTION"],
  ["preview", "PREVIEW"],
];

const ALPHABET = "123456789abcdefghijkmnopqrstuvwxyz";

type Facts = Omit<Instance, "development">;

export function openInstance(db: Db, environments: EnvironmentStore, keys: GivenKeys = {}): Instance {
  const row = db.prepare("SELECT facts FROM instance").get() as { facts: string } | undefined;
  const facts = row ? (JSON.parse(row.facts) as Facts) : create(db, environments, keys);
  const development = environments.all().find(({ slug, parentId }) => slug === "dev" && !parentId);
  if (development === undefined) throw new Error("The database has no development environment");
  return { ...facts, development };
}

function create(db: Db, environments: EnvironmentStore, keys: GivenKeys): Facts {
  const facts: Facts = {
    projectRef: `proj_${random(20)}`,
    projectId: cuid(),
    organizationId: cuid(),
    userId: cuid(),
    createdAt: Date.now(),
    personalToken: `tr_pat_${random(40)}`,
    urlSecret: randomBytes(32).toString("hex"),
  };
  atomically(db, () => {
    for (const [slug, type] of ENVIRONMENTS) {
      const given = slug === "dev" ? keys.secretKey : undefined;
      const rootKey = given ?? `tr_${slug}_${random(24)}`;
      const { projectId, projectRef } = facts;
      environments.insert({ id: cuid(), slug, type, rootKey, projectId, projectRef });
    }
    environments.addPersonalToken(facts.personalToken, facts.userId);
    db.prepare("INSERT INTO instance (facts) VALUES (?)").run(JSON.stringify(facts));
  });
  return facts;
}

/** Unbiased: a byte is taken only when it falls into whole alphabets. */
function random(length: number): string {
  const whole = 256 - (256 % ALPHABET.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < whole && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}
