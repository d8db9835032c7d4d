import { expect, onTestFinished, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendToRegular } from "./write-regular.ts";

const createFolder = (): Readonly<{ path: string; outside: string }> => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-write-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "outside"), "outside");
  return { path: join(folder, "file"), outside: join(folder, "outside") };
};

test("a file is made, and gets what is added at its end", () => {
  const { path } = createFolder();
  for (const text of ["a", "b"]) appendToRegular(path, Buffer.from(text));
  expect(readFileSync(path, "utf8")).toBe("ab");
});

const PLANTS: readonly (readonly [string, (path: string, outside: string) => void])[] = [
  ["a pipe", (path) => void spawnSync("mkfifo", [path])],
  ["a folder", (path) => mkdirSync(path)],
  ["a link", (path, outside) => symlinkSync(outside, path)],
  ["a link to nothing", (path, outside) => symlinkSync(`${outside}-new`, path)],
  ["a second name of a file", (path, outside) => linkSync(outside, path)],
];

test.each(PLANTS)("%s in its place is neither waited for nor written to, and stays open no longer", (_what, plant) => {
  const { path, outside } = createFolder();
  plant(path, outside);
  const before = readdirSync("/proc/self/fd").length;
  expect(() => appendToRegular(path, Buffer.from("x"))).toThrow();
  expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  expect(readFileSync(outside, "utf8")).toBe("outside");
  expect(readdirSync(join(path, "..")).toSorted()).toEqual(["file", "outside"]);
});
