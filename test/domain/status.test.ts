import { describe, expect, it } from "vitest";
import { shownStatus } from "../../src/domain/status.ts";

describe("a stored status", () => {
  it("is shown in the current vocabulary, and as it is when nobody knows it", () => {
    expect(shownStatus("COMPLETED_WITH_ERRORS")).toBe("FAILED");
    expect(shownStatus("SOMETHING_NEW")).toBe("SOMETHING_NEW");
    expect(shownStatus("__proto__")).toBe("__proto__");
  });
});
