/** The package's version, as told to clients, to the API and by `--version`. */
export { version } from "../../package.json";
