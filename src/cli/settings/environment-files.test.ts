import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectEnvironment, readJobrc } from "./environment-files.ts";

const startFolder = process.cwd();
const startHome = process.env["HOME"];

let folder: string;

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-environment-"));
  mkdirSync(join(folder, "here"));
  mkdirSync(join(folder, ".nexus"));
  process.env["HOME"] = folder;
  process.chdir(join(folder, "here"));
});

afterEach(() => {
  process.chdir(startFolder);
  if (startHome === undefined) delete process.env["HOME"];
  else process.env["HOME"] = startHome;
  rmSync(folder, { recursive: true, force: true });
});

const collect = (pairs: readonly string[] = [], file: string | null = null): Readonly<Record<string, string>> => {
  const collected = collectEnvironment(pairs, file);
  if (!collected.ok) throw new Error(collected.error.message);
  return collected.value;
};

const refuse = (pairs: readonly string[], file: string | null = null): readonly [number, string] => {
  const collected = collectEnvironment(pairs, file);
  if (collected.ok) throw new Error("it was accepted");
  return [collected.error.exitCode, collected.error.message];
};

const MODULE = JSON.stringify(join(import.meta.dirname, "environment-files.ts"));

const collectApart = (...given: Parameters<typeof collectEnvironment>): readonly [string, unknown] => {
  const call = `collectEnvironment(...${JSON.stringify(given)})`;
  const program = `import { collectEnvironment } from ${MODULE}; console.log(JSON.stringify(${call}.value))`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
  return [stderr, JSON.parse(stdout)];
};

test("home's file, the folder's, the named one and -e override one another, and overridden names are listed once", () => {
  write(".nexus/.env", "A=home\nB=home\nC=home\nSAME=x\nconstructor=1\n");
  write("here/.env", "B=here\nC=here\nSAME=x\n");
  write("more", "C='from file'\nD=more\n");
  const [hints, env] = collectApart(["A=given", "A=last", "E=a=b", "F="], join(folder, "more"));
  expect(env).toEqual({
    A: "last",
    B: "here",
    C: "from file",
    D: "more",
    E: "a=b",
    F: "",
    SAME: "x",
    ["constructor"]: "1",
  });
  expect(hints).toBe("Overridden variables: B, C, A\n");
});

test("all three files are read as python-dotenv reads them, one may name what an earlier one or the shell has", () => {
  process.env["NEXUS_TEST_VALUE"] = "shell";
  try {
    write(".nexus/.env", "export TOKEN=abc#def # mine\nROOT='/data' \n");
    write("here/.env", 'PLAIN=x # a comment\nTRAIN="${ROOT}/train"\n');
    write("more", "BOTH=${TRAIN}-${NEXUS_TEST_VALUE}-${NEXUS_NO_VALUE:-none}\n");
    expect(collectApart([], join(folder, "more"))).toEqual([
      "",
      { TOKEN: "abc#def", ROOT: "/data", PLAIN: "x", TRAIN: "/data/train", BOTH: "/data/train-shell-none" },
    ]);
  } finally {
    delete process.env["NEXUS_TEST_VALUE"];
  }
});

test("a line that is no variable is named, without what stands there", () => {
  write(".nexus/.env", "A=1\nsecret\n");
  write("here/.env", "# c\nB: secret\nC='secret\nD=2\n");
  const own = join(folder, ".nexus", ".env");
  expect(collectApart([], null)).toEqual([
    `Warning: ${own}, line 2 is no NAME=VALUE and is left out\nWarning: .env, lines 2, 3 are no NAME=VALUE and are left out\n`,
    { A: "1", D: "2" },
  ]);
});

test("without files or flags there is nothing, and nothing is said", () => {
  expect(collectApart([], null)).toEqual(["", {}]);
});

test("-e with a name alone takes the caller's value", () => {
  process.env["NEXUS_TEST_VALUE"] = "from the shell";
  try {
    expect(collect(["NEXUS_TEST_VALUE"])).toEqual({ NEXUS_TEST_VALUE: "from the shell" });
  } finally {
    delete process.env["NEXUS_TEST_VALUE"];
  }
  expect(refuse(["NEXUS_TEST_VALUE"])).toEqual([2, "-e NEXUS_TEST_VALUE: it has no value here"]);
});

test("what is no variable's name is refused, without showing the value", () => {
  expect(refuse(["1A=secret"])).toEqual([2, '-e takes NAME=VALUE, not "1A"']);
  expect(refuse(["=secret"])[0]).toBe(2);
});

test("a folder named .env, as a Python environment is, is no file of variables", () => {
  mkdirSync(join(folder, "here", ".env"));
  mkdirSync(join(folder, ".nexus", ".jobrc"));
  expect(collect(["A=1"])).toEqual({ A: "1" });
  expect(readJobrc()).toEqual({ ok: true, value: null });
});

test("a named file that is not there or can't be read is refused", () => {
  expect(refuse([], "nowhere")).toEqual([2, "--env-file nowhere: there is no such file"]);
  expect(refuse([], folder)).toEqual([1, expect.stringContaining(`${folder} can't be read`)]);
});

test("the jobrc is taken as it is", () => {
  expect(readJobrc()).toEqual({ ok: true, value: null });
  write(".nexus/.jobrc", "module load cuda\n");
  expect(readJobrc()).toEqual({ ok: true, value: "module load cuda\n" });
});
