/** Comma-separated query values. */
import { z } from "zod";

/** Splits on commas, dropping blanks; with `allowed`, one unknown value fails the parameter. */
export const csv = (allowed: (value: string) => boolean = () => true, message = "Invalid value") =>
  z.string().transform((text, context) => {
    const values = text
      .split(",")
      .map((value) => value.trim())
      .filter((value) => value !== "");
    const unknown = values.filter((value) => !allowed(value));
    if (unknown.length > 0) {
      context.addIssue({ code: "custom", message: `${message}: ${unknown.join(", ")}` });
    }
    return values;
  });
