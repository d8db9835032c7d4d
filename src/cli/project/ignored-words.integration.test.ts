import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Bench, useBench } from "../../../tests/support/git-bench.ts";
import { findTravelling } from "../code/travelling-files.ts";
import { findIgnoredWords } from "./ignored-words.ts";

let repository: string;
let write: Bench["write"];
let commitAll: Bench["commitAll"];
let snap: Bench["snap"];

useBench((bench) => {
  ({ repository, write, commitAll, snap } = bench);
});

const find = async (words: readonly string[], links: readonly string[] = [], subFolder = "") => {
  const { travelling, dispose } = await snap();
  dispose();
  return findIgnoredWords(words, links, { top: repository, travelling, subFolder }).map(({ path, ignored }) => [
    path,
    ignored,
  ]);
};

describe("a word of a command that does not travel", () => {
  test("is found with the whole that git ignores, wherever the user stands", async () => {
    write(".gitignore", "data/\n/runs/*\n*.bin\n");
    write("src/train.py", "1");
    write("runs/.gitkeep", "");
    commitAll();
    write("data/a/b", "1");
    write("runs/one/log", "1");
    write("src/x.bin", "1");
    write("new.txt", "1");
    mkdirSync(join(repository, "empty"));
    const words = [
      "data/a/b",
      "./data/",
      "runs",
      "runs/one",
      "src/x.bin",
      "src",
      "new.txt",
      "empty",
      "nothere",
      ".git",
      ".",
      "",
    ];
    expect(await find(words)).toEqual([
      ["data/a/b", "data"],
      ["data", "data"],
      ["runs/one", "runs/one"],
      ["src/x.bin", "src/x.bin"],
    ]);
    expect(await find(["../data/a", "x.bin", "../../data", join(repository, "data"), "a\0"], [], "src")).toEqual([
      ["data/a", "data"],
      ["src/x.bin", "src/x.bin"],
    ]);
  });

  test("is of no account where a link covers it, or it is tracked though a rule fits", async () => {
    write("data/kept", "1");
    commitAll();
    write(".gitignore", "data/\nlogs\n");
    write("data/more", "1");
    write("logs/a", "1");
    expect(await find(["data", "data/kept", "data/more", "logs/a"], ["logs"])).toEqual([["data/more", "data/more"]]);
    expect(await find(["logs/a"], ["logs/a/b"])).toEqual([["logs/a", "logs"]]);
  });

  test("is found behind a link that git ignores, and not behind one that travels", async () => {
    write(".gitignore", "here\n");
    commitAll();
    symlinkSync("/etc", join(repository, "here"));
    symlinkSync("/etc", join(repository, "there"));
    expect(await find(["here/hosts", "there/hosts", "here"])).toEqual([
      ["here/hosts", "here"],
      ["here", "here"],
    ]);
  });
});

test("what travels is known by its path, what lies below it, and files on the way to it", async () => {
  write(".gitignore", "cache\n");
  write("tracked/é", "1");
  write("gone/file", "1");
  commitAll();
  write("new/file", "1");
  write("cache/file", "1");
  rmSync(join(repository, "gone"), { recursive: true });
  const { travelling, dispose } = await snap();
  dispose();
  const found = [
    "tracked",
    "tracked/é",
    "tracked/é/x",
    "new",
    "new/file",
    "gone",
    "cache",
    "track",
    "tracked/other",
  ].map((path) => findTravelling(travelling, path));
  expect(found).toEqual(["tracked/é", "tracked/é", "tracked/é", "new/file", "new/file", null, null, null, null]);
});
