import { expect, onTestFinished, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canTrace, readTrace, trace } from "../../tests/support/trace.ts";
import { replaceFile, replaceWith } from "./replace-file.ts";

const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-replace-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
};

const readMode = (path: string): number => statSync(path).mode & 0o777;

test("a file is made, and replaced, whole and with its mode, and no draft stays", () => {
  const folder = makeFolder();
  const path = join(folder, "settings");
  replaceFile(path, "one", 0o644);
  expect([readFileSync(path, "utf8"), readMode(path)]).toEqual(["one", 0o644]);
  replaceFile(path, Buffer.from([1, 2]), 0o600);
  expect([[...readFileSync(path)], readMode(path)]).toEqual([[1, 2], 0o600]);
  expect(readdirSync(folder)).toEqual(["settings"]);
});

test("nobody else reads the draft while it is filled", () => {
  const path = join(makeFolder(), "key");
  let during = 0;
  replaceWith(path, 0o644, (draft) => {
    writeFileSync(draft, "secret");
    during = readMode(draft);
  });
  expect([during, readMode(path)]).toEqual([0o600, 0o644]);
});

test("what fails leaves the file as it was and no draft", () => {
  const folder = makeFolder();
  const path = join(folder, "settings");
  replaceFile(path, "one", 0o600);
  expect(() =>
    replaceWith(path, 0o600, (draft) => {
      writeFileSync(draft, "half");
      throw new Error("no space left");
    }),
  ).toThrow("no space left");
  expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["one", ["settings"]]);
});

test("what a process that died left as its draft is no hindrance", () => {
  const path = join(makeFolder(), "settings");
  writeFileSync(`${path}.${process.pid}.new`, "half");
  replaceFile(path, "whole", 0o600);
  expect(readFileSync(path, "utf8")).toBe("whole");
});

test.skipIf(!canTrace)("what is in the file is on disk before it gets its name, and the name before it is done", () => {
  const folder = makeFolder();
  const path = join(folder, "settings");
  const calls = join(makeFolder(), "calls");
  const code = `import { replaceFile } from ${JSON.stringify(join(import.meta.dir, "replace-file.ts"))};
    replaceFile(${JSON.stringify(path)}, "one", 0o600);`;
  const [program = "", ...words] = trace(calls, ["fsync", "fdatasync", "rename", "renameat", "renameat2"]);
  expect(spawnSync(program, [...words, process.execPath, "-e", code]).status).toBe(0);
  const made = readTrace(calls).filter((call) => call.words.includes(folder));
  expect(made.map(({ name, words: said }) => `${name.slice(0, 6)} ${/settings\.\d+\.new|$/.exec(said)?.[0]}`)).toEqual([
    expect.stringMatching(/^fsync settings\./),
    expect.stringMatching(/^rename settings\./),
    "fsync ",
  ]);
});
