import { describe, expect, test } from "bun:test";
import { makeJob } from "../../../tests/support/top-samples.ts";
import type { WireOutputs } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import { describeExpiring, describeFiles, describeFilesAtEnd, hasFiles } from "./kept-text.ts";

const KEPT: WireOutputs = {
  ...{ state: "kept", files: 3, bytes: 1_200_000_000, kept_until: 1_700_000_000, pulled: false },
  left_out: { files: 0, bytes: 0 },
};

const describeJobWith = (outputs: Partial<WireOutputs>, notes: readonly string[] = []): WireJob =>
  makeJob({ id: "k3f9ab", status: "completed", outputs: { ...KEPT, ...outputs }, notes: [...notes] });

const { outputs: _outputs, notes: _notes, ...OLD } = makeJob({ id: "k3f9ab" });

describe("at the end of a job", () => {
  test.each([
    [{}, ["3 files, 1.2 GB are kept: nx pull k3f9ab"]],
    [{ files: 1, bytes: 2 }, ["1 file, 2 B is kept: nx pull k3f9ab"]],
    [{ left_out: { files: 2, bytes: 3000 } }, ["3 files, 1.2 GB are kept: nx pull k3f9ab (left out: 2 files, 3.0 kB)"]],
    [
      { state: "none" as const, files: 0, bytes: 0, left_out: { files: 2, bytes: 4 } },
      ["nothing is kept (left out: 2 files, 4 B)"],
    ],
    [{ files: 0, bytes: 0, left_out: { files: 2, bytes: 3000 } }, ["nothing is kept (left out: 2 files, 3.0 kB)"]],
    [{ state: "none" as const, files: 0, bytes: 0 }, []],
    [{ state: "moving" as const }, []],
  ])("%j is told as %j", (outputs, lines) => {
    expect(describeFilesAtEnd(describeJobWith(outputs))).toEqual(lines);
  });

  test("files that could not be kept are told with the reason, harmlessly, and where they are to be had", () => {
    const job = describeJobWith({ state: "failed" }, ["Its files could not be kept: \u001b[31mdisk full"]);
    expect(describeFilesAtEnd(job)).toEqual([
      "Its files could not be kept: \\x1b[31mdisk full",
      "What it wrote is where it was: nx pull k3f9ab",
    ]);
  });

  test("what the job has to say stands before it, also where nothing is kept", () => {
    const notes = ["a is kept as a~1: its name was taken", "2 processes were left"];
    expect(describeFilesAtEnd(describeJobWith({}, notes))).toEqual([
      ...notes,
      "3 files, 1.2 GB are kept: nx pull k3f9ab",
    ]);
    expect(describeFilesAtEnd(describeJobWith({ state: "none", files: 0 }, notes))).toEqual(notes);
  });

  test("an older server's job is told without a word of it", () => {
    expect(describeFilesAtEnd(OLD as WireJob)).toEqual([]);
    expect([describeFiles(OLD as WireJob), hasFiles(OLD as WireJob)]).toEqual([null, false]);
  });
});

test.each([
  [{}, "3 files, 1.2 GB, until 2023-11-14 22:13 UTC"],
  [
    { pulled: true, left_out: { files: 1, bytes: 2 } },
    "3 files, 1.2 GB (left out: 1 file, 2 B), until 2023-11-14 22:13 UTC, fetched",
  ],
  [{ kept_until: null }, "3 files, 1.2 GB"],
  [{ files: 0, bytes: 0, left_out: { files: 1, bytes: 2 } }, "0 files, 0 B (left out: 1 file, 2 B)"],
  [{ state: "moving" as const, kept_until: null }, "are being kept"],
  [{ state: "failed" as const, kept_until: null }, "could not be kept"],
  [{ state: "none" as const }, null],
  [
    { state: "none" as const, kept_until: null, left_out: { files: 1, bytes: 2 } },
    "nothing is kept (left out: 1 file, 2 B)",
  ],
])("all about a job with %j has %p", (outputs, text) => {
  expect(describeFiles(describeJobWith(outputs))).toBe(text);
});

describe("of files that go soon", () => {
  const expire = (id: string, outputs: Partial<WireOutputs> = {}) => ({ id, outputs: { ...KEPT, ...outputs } });
  const describeStatus = (total_jobs: number, ...jobs: readonly ReturnType<typeof expire>[]): readonly string[] =>
    describeExpiring({ expiring_files: { jobs: [...jobs], total_jobs } });

  test("each job is a line with the time and what to type, and further ones are counted", () => {
    const line = "3 files, 1.2 GB go on 2023-11-14 22:13 UTC: nx pull k3f9ab";
    expect(describeStatus(1, expire("k3f9ab"))).toEqual([line]);
    const failed = expire("a", { state: "failed", files: 0, bytes: 0 });
    const second = "what job a wrote goes on 2023-11-14 22:13 UTC: nx pull a";
    const rest = "files of 1 more job go soon, named here once these are fetched";
    expect(describeStatus(3, expire("k3f9ab"), failed)).toEqual([line, second, rest]);
    expect(describeStatus(4, failed).at(-1)).toStartWith("files of 3 more jobs go soon");
  });

  test("an older server says nothing, and what a hostile one says is harmless", () => {
    expect(describeExpiring({})).toEqual([]);
    expect(describeStatus(1, expire("\u001b[31m"))).toEqual([
      "3 files, 1.2 GB go on 2023-11-14 22:13 UTC: nx pull \\x1b[31m",
    ]);
  });
});
