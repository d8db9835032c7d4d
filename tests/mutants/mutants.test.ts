import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readProcess } from "../../src/server/external/screen/processes/process-table.ts";
import { parseSource } from "../house/source-file.ts";
import { gitIn } from "../support/git-bench.ts";
import { listProcessesWith, ROOT, runProgram } from "../support/programs.ts";
import { canMount } from "../support/small-disk.ts";
import { waitUntil } from "../support/wait.ts";
import { listCandidates, type MutantOptions, runMutants, type Summary } from "./run.ts";
import { createWorkplace } from "./workplace.ts";

const PROGRAM = [process.execPath, join(import.meta.dirname, "main.ts")] as const;

const AGE = `export const isOld = (age: number): boolean => age > 64;\n`;
const AGE_TEST = `import { expect, test } from "bun:test";
import { isOld } from "./age.ts";
test("who is far from the limit", () => expect([isOld(10), isOld(90)]).toEqual([false, true]));
`;

let folder = "";
let project = "";

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-mutants-"));
  project = join(folder, "project");
  mkdirSync(project);
  mkdirSync(join(project, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules")))
    symlinkSync(join(ROOT, "node_modules", name), join(project, "node_modules", name));
  write(".gitignore", "node_modules\n");
  write("tsconfig.json", readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
  write("src/age.ts", AGE);
  write("src/age.test.ts", AGE_TEST);
  gitIn(project, "init", "--quiet");
  gitIn(project, "add", "--all");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (options: Partial<MutantOptions> = {}): Promise<Summary> =>
  runMutants({ root: project, seed: 1, count: 100, areas: [], atOnce: 2, budgetMs: 60_000, ...options }, () => {});

const readTree = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(join(project, "src")).map((name) => [name, readFileSync(join(project, "src", name), "utf8")]),
  );

describe("mutants", () => {
  test("tells the breaks that a test sees from those that none does, and leaves the tree as it was", async () => {
    const before = readTree();
    const { mutants, refused, useless } = await run();
    expect(mutants.map(({ kind, verdict }) => `${kind}: ${verdict.kind}`).toSorted()).toEqual([
      "boundary: survived",
      "comparison: killed",
      "number: survived",
      "number: survived",
    ]);
    expect(mutants.find(({ kind }) => kind === "boundary")).toEqual({
      place: "src/age.ts:1",
      kind: "boundary",
      diff: "- export const isOld = (age: number): boolean => age > 64;\n+ export const isOld = (age: number): boolean => age >= 64;",
      verdict: { kind: "survived", passed: 1 },
    });
    expect(mutants.flatMap(({ verdict }) => ("by" in verdict ? verdict.by : []))).toEqual(["src/age.test.ts"]);
    expect([refused, useless]).toEqual([0, []]);
    expect(readTree()).toEqual(before);
  });

  test("leaves out what the types refuse, and draws others for it; what is then unused is no mistake", async () => {
    write("src/age.ts", `${AGE}export const first = (a: readonly string[]): string => a[0] ?? "";\n`);
    write(
      "src/note.ts",
      `let noted = 0;\nexport const note = (age: number): void => {\n  noted = age;\n};\nnote(0);\n`,
    );
    const { mutants, refused } = await run();
    expect(mutants.map(({ place, kind }) => `${place} ${kind}`)).toContain("src/note.ts:3 call dropped");
    expect(mutants.filter(({ kind }) => kind === "default")).toHaveLength(1);
    expect(refused).toBe(1);
  });

  test("a test that fails anyway judges nothing, and is named", async () => {
    write("src/failing.test.ts", `import "./age.ts";\nthrow new Error("always");\n`);
    const { mutants, useless } = await run({ count: 4 });
    expect(useless).toEqual(["src/failing.test.ts"]);
    expect(mutants.filter(({ verdict }) => verdict.kind === "survived")).toHaveLength(3);
  });

  test("a failure that does not come again is none", async () => {
    write(
      "src/age.test.ts",
      `import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { isOld } from "./age.ts";
test("fails once", () => {
  if (isOld(65) || existsSync("../seen")) return;
  writeFileSync("../seen", "");
  expect(isOld(90)).toBe(false);
});
`,
    );
    const { mutants } = await run({ atOnce: 1 });
    expect(mutants.map(({ verdict }) => verdict.kind)).toEqual(["survived", "survived", "survived", "survived"]);
  });

  test("breaks only where it is told to, down to a line", () => {
    const files = ["src/server/core/a.ts", "src/server/core.ts", "src/base/a.ts", "src/base/a.test.ts"].map((path) =>
      parseSource(path, "const a = b < c;\nconst d = e < f;\n"),
    );
    const list = (...areas: readonly string[]) => [
      ...new Set(listCandidates(files, { areas, seed: 1 }).map(({ path }) => path)),
    ];
    expect(list().toSorted()).toEqual(["src/base/a.ts", "src/server/core.ts", "src/server/core/a.ts"]);
    expect(list("core", "server/core/")).toEqual(["src/server/core/a.ts"]);
    expect(list("base/a.ts")).toEqual(["src/base/a.ts"]);
    expect(listCandidates(files, { areas: ["src/base/a.ts:2", "base"], seed: 1 })).toHaveLength(4);
    expect(listCandidates(files, { areas: ["src/base/a.ts:2"], seed: 1 })).toHaveLength(2);
    expect(() => list("base", "bas")).toThrow("nothing can be broken in bas");
  });
});

describe("a workplace", () => {
  test("ends what is left of a program that ends or takes too long, and empties its folders", async () => {
    const place = createWorkplace(project, join(folder, "place"));
    const leave = `echo > "$TMPDIR/left"; (setsid sleep 300 &) ; env -i setsid sleep 300 & exec > /dev/null`;
    const mine = `HOME=${join(folder, "place", "h")}`;
    expect(await place.run(["sh", "-c", `${leave}; exit 3`], 10_000)).toMatchObject({ kind: "failed" });
    expect(await place.run(["sh", "-c", `${leave}; echo said; sleep 300`], 500)).toMatchObject({ kind: "timed out" });
    expect(listProcessesWith(mine)).toEqual([]);
    expect(existsSync(join(folder, "place", "t"))).toBe(false);
    place.dispose();
    expect(existsSync(join(folder, "place"))).toBe(false);
  });

  test.skipIf(!canMount)("ends what was mounted, and leaves what it showed", async () => {
    const shown = join(folder, "shown");
    mkdirSync(shown);
    writeFileSync(join(shown, "kept"), "");
    const place = createWorkplace(project, join(folder, "place"));
    const mount = `mkdir "$TMPDIR/m" "$TMPDIR/b" && mount -t tmpfs tmpfs "$TMPDIR/m" && mount --bind ${shown} "$TMPDIR/b"`;
    expect(await place.run(["sh", "-c", mount], 10_000)).toMatchObject({ kind: "passed" });
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(folder);
    expect(readdirSync(shown)).toEqual(["kept"]);
    place.dispose();
  });

  test("is the tree as it is, without what git ignores or was removed", () => {
    write("src/new.ts", "export {};\n");
    write("dist/made.ts", "");
    write(".gitignore", "node_modules\ndist\n");
    rmSync(join(project, "src/age.test.ts"));
    const place = createWorkplace(project, join(folder, "place"));
    const tree = join(folder, "place", "tree");
    expect(readdirSync(tree).toSorted()).toEqual([".gitignore", "node_modules", "src", "tsconfig.json"]);
    expect(readdirSync(join(tree, "src")).toSorted()).toEqual(["age.ts", "new.ts"]);
    place.dispose();
  });
});

describe("npm run mutants", () => {
  const runMain = (...words: readonly string[]) =>
    runProgram([...PROGRAM, ...words], { cwd: project, env: { ...process.env, TMPDIR: folder } });

  test("prints the survivors with their place and difference, and how many there were of each", async () => {
    const { exitCode, stdout } = await runMain("--in", "age.ts", "--at-once", "2");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("\nsrc/age.ts:1 boundary: survived 1 test files\n- export const isOld");
    expect(stdout).toEndWith("\n1 killed, 3 survived, 0 timed out; 0 more the types refuse\n");
    expect(readdirSync(folder)).toEqual(["project"]);
  });

  test.each([
    [["--count", "0"], '--count takes a number from 1, not "0"'],
    [["--in", "nowhere"], "nothing can be broken in nowhere"],
    [["--no-such-flag"], "no-such-flag"],
  ])("says what is wrong with %p", async (words, message) => {
    const { exitCode, stderr } = await runMain(...words);
    expect([exitCode, stderr.split("\n").length]).toEqual([1, 2]);
    expect(stderr).toContain(message);
  });

  test("leaves nothing behind when it is interrupted", async () => {
    write(
      "src/age.test.ts",
      `${AGE_TEST}
const child = Bun.spawn(["sleep", "300"]);
child.unref();
await Bun.write(${JSON.stringify(join(folder, "started"))}, String(child.pid));
await child.exited;
`,
    );
    const main = spawn(PROGRAM[0], [PROGRAM[1], "--in", "age.ts"], {
      cwd: project,
      env: { ...process.env, TMPDIR: folder },
    });
    const exited = new Promise((resolve) => main.on("exit", resolve));
    await waitUntil(() => existsSync(join(folder, "started")));
    const pid = readFileSync(join(folder, "started"), "utf8");
    main.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(readProcess(Number(pid))).toBe(null);
    expect(readdirSync(folder).toSorted()).toEqual(["project", "started"]);
  });
});
