import type { TaskDefinition } from "../engine/types.ts";
import { count, fields } from "./payload.ts";

const DEFAULT_SKUS = 1199;
const MOST_SKUS = 9000;

/** Asks for the stock of every article, one request after the other, where one request for all would have done. */
export const syncInventory: TaskDefinition = {
  id: "sync-inventory",
  queue: { name: "inventory", concurrencyLimit: 1 },
  async run(payload, { span, work, log, setMetadata }) {
    const skus = count(fields(payload).skus, DEFAULT_SKUS, MOST_SKUS);
    const slowest = Math.floor(skus * 0.7);
    await span(
      "load skus",
      { db: { system: "postgresql", statement: "SELECT sku FROM articles WHERE active", rows: skus } },
      () => work(40),
    );
    for (let index = 0; index < skus; index++) {
      const sku = `SKU-${String(index + 1).padStart(4, "0")}`;
      await span(
        `GET /stock/${sku}`,
        { http: { method: "GET", url: `https://warehouse.example.com/stock/${sku}`, status_code: 200 } },
        () => work(index === slowest ? 400 : 1 + (index % 3)),
      );
      if (index % 400 === 399) setMetadata("synced", index + 1);
    }
    log("INFO", `synced ${skus} articles`, { skus });
    return { synced: skus };
  },
};
