import { thrown } from "../errors.ts";
import { DAY, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const issues = [
  {
    code: "invalid_type",
    expected: "string",
    received: "number",
    path: ["customer", "id"],
    message: "Expected string, received number",
  },
  { code: "invalid_type", expected: "array", received: "undefined", path: ["lines"], message: "Required" },
];
const error = thrown(
  "TaskPayloadParsedError",
  `Parsing payload with schema failed: ${JSON.stringify(issues, null, 2)}`,
  [],
);

export default exhibit("payload of the wrong shape", "the caller sends what the schema refuses", (world) => {
  world.once(
    "place-order",
    { ago: DAY, payload: { customer: { id: "cus_7" }, lines: [{ sku: "A", count: 1 }] } },
    (step) => step.span("insert order", { took: 30 }),
  );
  const run = world.run("place-order", { ago: 3 * MINUTE, payload: { customer: { id: 7 } } }, (told) => {
    told.attempt({ took: 4, error });
  });
  return {
    run,
    expect: {
      class: "payload",
      culprit: { run: run.id, span: run.span("Attempt 1") },
      evidence: [/customer/, /lines/, /payload/i],
    },
  };
});
