import { expect, test } from "bun:test";
import { describeTrouble } from "./advice.ts";

test("what is known of a trouble itself is said to do, else what its code says", () => {
  const trouble = { code: "WRONG_ARGUMENTS", message: "SEED has no value now" };
  expect(describeTrouble({ ...trouble, hint: "give it in env" })).toEqual({
    error: "WRONG_ARGUMENTS",
    message: "SEED has no value now",
    hint: "give it in env",
  });
  expect(describeTrouble(trouble)["hint"]).toBe("Call it again with arguments that its schema allows");
  expect(describeTrouble({ code: null, message: "gone" })).toMatchObject({ error: "FAILED", message: "gone" });
});
