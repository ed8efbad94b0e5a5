/** The page, made from its sources. What is published has the finished page in this module's place (scripts/build.ts). */
import { buildPage } from "../page.ts";

export default await buildPage("Run view", import.meta.dirname);
