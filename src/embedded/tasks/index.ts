/** The example tasks: one for each way a run can go. */
import type { TaskDefinition } from "../engine/types.ts";
import { flakyWebhook } from "./flaky-webhook.ts";
import { generateReport } from "./generate-report.ts";
import { nightlyImport } from "./nightly-import.ts";
import { processOrder } from "./process-order.ts";
import { renderSection } from "./render-section.ts";
import { sendWelcomeEmail } from "./send-welcome-email.ts";
import { syncInventory } from "./sync-inventory.ts";

export const exampleTasks: TaskDefinition[] = [
  sendWelcomeEmail,
  processOrder,
  generateReport,
  renderSection,
  syncInventory,
  flakyWebhook,
  nightlyImport,
];
