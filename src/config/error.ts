/** Something about how the program was started is wrong; the message says what to set. Exit status 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Said by everything that needs a credential and has none. */
export const NO_CREDENTIALS =
  "No Trigger.dev credentials. Set TRIGGER_SECRET_KEY to a secret key of the environment (tr_dev_…, tr_prod_…; " +
  "dashboard, API keys), or TRIGGER_ACCESS_TOKEN to a personal access token together with TRIGGER_PROJECT_REF and " +
  "TRIGGER_ENVIRONMENT. Without an account: start with --embedded.";
