import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const refused = thrown("Error", "connect ECONNREFUSED 10.4.0.31:6379", ["open src/lib/cache.ts:8:12"]);
const deadlock = thrown("DatabaseError", "deadlock detected", ["insertLines src/lib/ledger.ts:44:9"]);
const duplicate = thrown("LedgerError", "posting 7731 has already been booked", [
  "bookPosting src/lib/ledger.ts:61:13",
  "run src/trigger/book-payment.ts:25:15",
]);

export default exhibit(
  "different failure per attempt",
  "each retry fell over something else; the last over the first's leavings",
  (world) => {
    const run = world.run("book-payment", { ago: 20 * MINUTE, payload: { posting: 7731 } }, (told) => {
      told.attempt((step) => step.span("open cache", { took: 12, error: refused }));
      told.backOff(1_000);
      told.attempt((step) => {
        step.span("open cache", { took: 9 });
        step.span("insert lines", { took: 1_010, error: deadlock });
      });
      told.backOff(2_000);
      told.attempt((step) => {
        step.span("open cache", { took: 8 });
        step.span("book posting", { took: 6, error: duplicate });
      });
    });
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("book posting") },
        evidence: [/already been booked/, /ECONNREFUSED/, /deadlock detected/, /differ|not the same|each/i],
      },
    };
  },
);
