import { expect, test } from "bun:test";
import { planLeftoverNotes } from "./leftovers.ts";

test.each([
  [["python3"], "1 process it had left running was ended with its command: python3"],
  [["python3", "sleep", "python3"], "3 processes it had left running were ended with its command: python3 (2), sleep"],
  [
    Array.from({ length: 12 }, (_, index) => `p${index}`),
    "12 processes it had left running were ended with its command: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 2 other programs",
  ],
])("%j left behind are told as %s", (names, text) => {
  expect(planLeftoverNotes({ notes: ["another"] }, names)).toEqual([text]);
});

test("who left nothing, or was told of already, is told of no more", () => {
  const [told = ""] = planLeftoverNotes({ notes: [] }, ["a"]);
  expect(planLeftoverNotes({ notes: [told] }, ["a", "b"])).toEqual([]);
  expect(planLeftoverNotes({ notes: [] }, [])).toEqual([]);
  expect(planLeftoverNotes({ notes: [] })).toEqual([]);
});
