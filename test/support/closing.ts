/** What a test starts is closed after it. */
import { afterEach } from "vitest";

interface Closable {
  close(): Promise<void>;
}

/** For a file or a `describe`: answers what it is given, and closes all of that after each test, the last first. */
export function closing(): <One extends Closable>(one: One) => One {
  const started: Closable[] = [];
  afterEach(async () => {
    for (const one of started.splice(0).reverse()) await one.close();
  });
  return (one) => {
    started.push(one);
    return one;
  };
}
