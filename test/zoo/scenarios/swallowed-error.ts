import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("LedgerError", "account 4400 is closed", ["post src/lib/ledger.ts:29:11"]);

export default exhibit(
  "error logged but swallowed",
  "green and wrong: the booking failed and was only logged",
  (world) => {
    let log = "";
    const run = world.once(
      "close-month",
      { ago: 35 * MINUTE, payload: { month: "2026-10" }, output: { ok: true } },
      (step) => {
        step.span("sum postings", { took: 210 });
        step.span("book closing entry", { took: 14, error, caught: true });
        log = step.log("ERROR", "closing entry failed, continuing", { account: 4400 });
        step.span("mark month closed", { took: 9 });
      },
    );
    return {
      run,
      expect: {
        class: "swallowed_error",
        culprit: { run: run.id, span: [run.span("book closing entry"), log] },
        evidence: [/account 4400 is closed/, /closing entry failed, continuing/, /COMPLETED/],
      },
    };
  },
);
