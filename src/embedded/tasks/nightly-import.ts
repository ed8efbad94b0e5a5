import type { TaskDefinition } from "../engine/types.ts";
import { count, fields } from "./payload.ts";

/** Pages through an export that is larger than the time it is given. */
export const nightlyImport: TaskDefinition = {
  id: "nightly-import",
  machine: "small-2x",
  maxDuration: 3,
  async run(payload, { span, work, log, setMetadata }) {
    const pages = count(fields(payload).pages, 5000, 5000);
    for (let page = 1; page <= pages; page++) {
      await span(`import page ${page}`, { import: { page, of: pages } }, async () => {
        const url = `https://export.example.com/rows?page=${page}`;
        await span("GET /rows", { http: { method: "GET", url, status_code: 200 } }, () => work(120));
        await span(
          "insert rows",
          { db: { system: "postgresql", statement: "INSERT INTO rows SELECT * FROM unnest($1)", rows: 500 } },
          () => work(25),
        );
      });
      setMetadata("page", page);
      if (page % 5 === 0) log("INFO", `imported page ${page} of ${pages}`, { page, pages });
    }
    return { pages };
  },
};
