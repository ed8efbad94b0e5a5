/** The host's looks: its theme, and its colours and fonts as CSS variables. */
import { document } from "./dom.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** `context` may hold only what has changed. */
export function applyTheme(context: unknown): void {
  if (!isObject(context)) return;
  const root = document.documentElement;
  const { theme, styles, displayMode } = context;
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (typeof displayMode === "string") root.dataset.mode = displayMode;
  const variables = isObject(styles) && isObject(styles.variables) ? styles.variables : {};
  for (const [name, value] of Object.entries(variables)) {
    if (name.startsWith("--") && typeof value === "string") root.style.setProperty(name, value);
  }
}
