import type { TaskDefinition } from "../engine/types.ts";
import { fields, text } from "./payload.ts";

/** Looks a user up, renders a template and hands the message to a mail server. Succeeds. */
export const sendWelcomeEmail: TaskDefinition = {
  id: "send-welcome-email",
  queue: { name: "emails", concurrencyLimit: 5 },
  async run(payload, { span, work, log }) {
    const userId = text(fields(payload).userId, "user_1");
    const statement = "SELECT id, name, email FROM users WHERE id = $1";
    const user = await span("load user", { db: { system: "postgresql", statement, rows: 1 } }, async () => {
      await work(12);
      return { name: "Ada", email: text(fields(payload).email, `${userId}@example.com`) };
    });
    const html = await span("render template", { template: { name: "welcome", locale: "en" } }, async () => {
      await work(8);
      return `<h1>Welcome, ${user.name}</h1>`;
    });
    const messageId = await span(
      "POST /v1/messages",
      { http: { method: "POST", url: "https://mail.example.com/v1/messages", status_code: 202 } },
      async () => {
        await work(60);
        return `msg_${userId}`;
      },
    );
    log("INFO", `sent "welcome" to ${userId}`, { messageId, bytes: html.length });
    return { messageId, to: user.email };
  },
};
