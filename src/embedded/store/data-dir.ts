/** The directory of a lasting database: private to its owner, and used by one process at a time. */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "libsql";

export interface DataDir {
  /** The database file. */
  file: string;
  /** Lets the next process in. */
  release(): void;
}

/** Creates the directory (0700) and its database file (0600) and locks it; throws when another process has it. */
export function openDataDir(path: string): DataDir {
  const directory = resolve(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const release = lock(directory);
  // SQLite gives its side files the mode of the database file.
  return { file: privateFile(join(directory, "trigger.sqlite")), release };
}

/** A transaction nobody else can begin: unlike a file with a process id in it, it cannot outlive the process. */
function lock(directory: string): () => void {
  const db = new Database(privateFile(join(directory, "lock.sqlite")));
  try {
    db.pragma("busy_timeout = 0");
    db.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    throw new Error(
      `Another process is using the data directory ${directory}. Stop it, or start with --ephemeral or another --data-dir.`,
      { cause },
    );
  }
  return () => {
    // The driver closes late; the lock has to go now.
    db.exec("ROLLBACK");
    db.close();
  };
}

function privateFile(file: string): string {
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  return file;
}
