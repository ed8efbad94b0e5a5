/** Property tests draw the same cases every time, so that the suite says the same twice; FC_SEED draws others. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_261_122) });
