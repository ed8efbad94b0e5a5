import { defineConfig } from "vitest/config";

/** Long runs under load, one file at a time: they measure behaviour over minutes and want the machine to themselves. */
export default defineConfig({
  test: {
    include: ["test/soak/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
