import { expect, test } from "bun:test";
import { describeGoing, describeKept } from "./outputs-text.ts";

test("what was left out is told with what is kept, and where nothing is", () => {
  const [none, leftOut] = [
    { files: 0, bytes: 0 },
    { files: 2, bytes: 4 },
  ];
  expect(describeKept("k3f9ab", { files: 1, bytes: 4 }, leftOut)).toBe(
    "1 file, 4 B is kept: nx pull k3f9ab (left out: 2 files, 4 B)",
  );
  expect(describeKept("k3f9ab", none, leftOut)).toBe("nothing is kept (left out: 2 files, 4 B)");
  expect(describeKept("k3f9ab", none, none)).toBeNull();
});

test("what is kept of a job, and until when, is one line with what to type", () => {
  expect(describeKept("k3f9ab", { files: 3, bytes: 1.2e9 })).toBe("3 files, 1.2 GB are kept: nx pull k3f9ab");
  expect(describeKept("k3f9ab", { files: 1, bytes: 4 })).toBe("1 file, 4 B is kept: nx pull k3f9ab");
  expect(describeGoing("k3f9ab", { files: 3, bytes: 1.2e9 }, 1_700_000_000)).toBe(
    "3 files, 1.2 GB go on 2023-11-14 22:13 UTC: nx pull k3f9ab",
  );
  expect(describeGoing("k3f9ab", { files: 1, bytes: 4 }, 1_700_000_000)).toStartWith("1 file, 4 B goes on 2023-");
  expect(describeGoing("k3f9ab", { files: 0, bytes: 0 }, 1_700_000_000)).toStartWith(
    "what job k3f9ab wrote goes on 2023-",
  );
});
