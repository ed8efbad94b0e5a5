import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("AxiosError", "Request failed with status code 422", [
  "createContact src/lib/crm.ts:33:20",
  "run src/trigger/add-contact.ts:12:17",
]);
const http = { method: "POST", url: "https://crm.example.com/contacts", status_code: 422 };

export default exhibit("request refused", "422: the other side is well, what it was sent is not", (world) => {
  const run = world.once("add-contact", { ago: HOUR, payload: { name: "Ada" } }, (step) => {
    step.span("POST /contacts", { took: 95, error, props: { http } }, (posting) => {
      posting.pause(94);
      posting.log("WARN", "crm says: phone must be in E.164 format", { status: 422 });
    });
  });
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("POST /contacts") },
      evidence: [/status code 422/, /src\/lib\/crm\.ts:33/, /E\.164/],
    },
  };
});
