/** The cleaner every answer of this service passes: a fresh one each, since placeholders are numbered within an answer. */
import { type Clean, createCleaner } from "../views/clean.ts";
import type { Service } from "./service.ts";

export const cleanerOf = ({ redact, redactEmails = false }: Service): Clean =>
  createCleaner({ redact, emails: redactEmails });
