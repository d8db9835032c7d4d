import { expect, test } from "bun:test";
import { makeState, makeView } from "../../../tests/support/top-samples.ts";

test("the first job is selected at the start, and none where there is none", () => {
  expect(makeState().selected).toBe("k3f9ab");
  expect(makeState({ view: makeView() }).selected).toBeNull();
});
