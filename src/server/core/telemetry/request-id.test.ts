import { expect, test } from "bun:test";
import { chooseRequestId } from "./request-id.ts";

test.each(["a", "01-b7ad6b7169203331-01", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "proxy:7.x_2", "a".repeat(64)])(
  "%s is taken as a request's id",
  (sent) => {
    expect(chooseRequestId(sent, () => "fresh")).toBe(sent);
  },
);

test.each([null, "", " a", "a b", "a\nb", 'a"', "{}", "é", "a".repeat(65)])("%p is not, a fresh one is", (sent) => {
  expect(chooseRequestId(sent, () => "fresh")).toBe("fresh");
});
