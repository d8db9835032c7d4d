import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createEnded, createRunning } from "../../../../../tests/support/samples.ts";
import type { EndedJob, JobId } from "../../../core/jobs/job.ts";
import { type Kept, LIST_END } from "../../../core/running/outputs.ts";
import { createJobDirectory } from "../job-directory.ts";
import { createJobOutputs } from "./job-outputs.ts";

let serverDir: string;
let dir: string;

const ID = "a" as JobId;

beforeEach(() => {
  serverDir = mkdtempSync(join(tmpdir(), "nexus-outputs-"));
  dir = join(serverDir, "jobs", ID);
  mkdirSync(join(dir, "repo"), { recursive: true });
  mkdirSync(join(dir, "outputs"));
  writeFileSync(join(dir, "started"), "");
});

afterEach(() => {
  spawnSync("chmod", ["-R", "u+rwx", serverDir]);
  spawnSync("rm", ["-rf", serverDir]);
});

const repo = (path: string): string => join(dir, "repo", path);
const outputs = (path: string): string => join(dir, "outputs", path);

const write = (path: string, text = path): void => {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
};

const listUnpackedAsTheScriptDoes = (): void => {
  const { stdout } = spawnSync("find", ["repo", "!", "-type", "d", "-printf", "%y %i %s %T@ %C@ %p\\0"], { cwd: dir });
  writeFileSync(join(dir, "manifest"), Buffer.concat([stdout, Buffer.from(`${LIST_END}\0`)]));
  let probe = "";
  const listed = lstatSync(join(dir, "manifest"), { bigint: true }).mtimeNs;
  do {
    probe = join(dir, "started");
    writeFileSync(probe, "");
  } while (lstatSync(probe, { bigint: true }).mtimeNs <= listed);
};

const listTree = (folder: string): Readonly<Record<string, string>> => {
  const names = readdirSync(folder, { recursive: true }).map(String).toSorted();
  return Object.fromEntries(
    names.flatMap((name) => {
      const found = lstatSync(join(folder, name));
      if (found.isDirectory()) return [];
      return [[name, found.isFile() ? readFileSync(join(folder, name), "utf8") : "no file"]];
    }),
  );
};

const keep = async (job: Partial<EndedJob> = {}): Promise<Kept> => {
  const kept = await createJobOutputs(serverDir).keep(createEnded(ID, job));
  if (!kept.ok) throw new Error(kept.error.message);
  return kept.value;
};

const failToKeep = async (): Promise<string> => {
  const kept = await createJobOutputs(serverDir).keep(createEnded(ID));
  return kept.ok ? "it was kept" : kept.error.message;
};

describe("what is kept", () => {
  const CHANGES: readonly (readonly [string, () => void, readonly string[]])[] = [
    ["nothing was done", () => undefined, []],
    ["a file is new", () => write(repo("sub/new")), ["sub/new"]],
    [
      "a file was written again, with its size and times set back",
      () => {
        const { atime, mtime } = lstatSync(repo("old"));
        writeFileSync(repo("old"), "OLD");
        utimesSync(repo("old"), atime, mtime);
      },
      ["old"],
    ],
    ["a file has another mode", () => chmodSync(repo("old"), 0o711), ["old"]],
    ["a file has a second name", () => linkSync(repo("old"), repo("twin")), ["old", "twin"]],
    ["a file was renamed", () => renameSync(repo("old"), repo("sub/renamed")), ["sub/renamed"]],
    ["a folder was renamed", () => renameSync(repo("sub"), repo("other")), ["other/deep"]],
    ["a file was removed", () => rmSync(repo("old")), []],
    [
      "a file was replaced by one like it",
      () => {
        const { atime, mtime } = lstatSync(repo("old"));
        rmSync(repo("old"));
        writeFileSync(repo("old"), "old");
        utimesSync(repo("old"), atime, mtime);
      },
      ["old"],
    ],
    [
      "a file became a link",
      () => {
        rmSync(repo("old"));
        symlinkSync("/etc/passwd", repo("old"));
      },
      ["old"],
    ],
    [
      "two folders changed places",
      () => {
        renameSync(repo("sub"), repo("aside"));
        renameSync(repo("same"), repo("sub"));
        renameSync(repo("aside"), repo("same"));
      },
      ["same/deep", "sub/deep"],
    ],
  ];

  test.each(CHANGES)("%s", async (_what, change, expected) => {
    for (const path of ["old", "sub/deep", "same/deep"]) write(repo(path), path.slice(-4));
    symlinkSync("old", repo("link"));
    listUnpackedAsTheScriptDoes();
    change();
    const kept = await keep();
    expect(Object.keys(listTree(join(dir, "outputs")))).toEqual([...expected]);
    expect(kept).toMatchObject({ files: expected.length, leftOut: { files: 0, bytes: 0 }, notes: [] });
    for (const path of expected) expect(existsSync(repo(path))).toBe(false);
  });

  test.each([
    ["there is no list", () => rmSync(join(dir, "manifest"))],
    ["the list was not written to its end", () => truncateSync(join(dir, "manifest"), 40)],
    ["the list is empty", () => truncateSync(join(dir, "manifest"), 0)],
    [
      "the list is a link",
      () => {
        renameSync(join(dir, "manifest"), join(dir, "elsewhere"));
        symlinkSync("elsewhere", join(dir, "manifest"));
      },
    ],
  ])("is all, where %s", async (_what, damage) => {
    write(repo("old"));
    listUnpackedAsTheScriptDoes();
    damage();
    expect(await keep()).toMatchObject({ files: 1 });
  });

  test("is not what can be made again, and that is counted", async () => {
    write(repo("old/__pycache__/a"));
    listUnpackedAsTheScriptDoes();
    const leftOut = [
      ...["__pycache__/a.pyc", "sub/b.pyc", ".git/config", "sub/.git", "node_modules/x/y", ".nfs0001"],
      ...[".ruff_cache/1", ".mypy_cache/2", "sub/.pytest_cache/3"],
      ...["venv/pyvenv.cfg", "venv/lib/x.py", "conda/conda-meta/history", "conda/bin/python"],
    ];
    const bytes = leftOut.reduce((sum, path) => sum + repo(path).length, 0);
    for (const path of leftOut) write(repo(path));
    for (const path of ["run.py", "pyvenv.cfg", "conda-meta/x", "wandb/run.wandb"]) write(repo(path));
    spawnSync("mkfifo", [repo("pipe")]);
    const kept = await keep();
    expect(Object.keys(listTree(join(dir, "outputs")))).toEqual([
      "conda-meta/x",
      "pyvenv.cfg",
      "run.py",
      "wandb/run.wandb",
    ]);
    expect(kept).toMatchObject({ files: 4, leftOut: { files: leftOut.length + 1, bytes } });
  });

  test.each([
    [["*.pt"], ["a.pt"]],
    [["**/*.pt"], ["a.pt", "runs/1/b.pt", "venv/c.pt"]],
    [["runs"], ["runs/1/b.pt", "runs/1/log"]],
    [["./runs/", "!**/log"], ["runs/1/b.pt"]],
    [
      ["**", "!**/*.pt", "runs/**/*.pt"],
      ["runs/1/b.pt", "runs/1/log", "venv/pyvenv.cfg", "x/__pycache__/d"],
    ],
    [["nothing/*"], []],
    [[], []],
  ])("is, by the patterns %j, %j", async (outputGlobs, expected) => {
    write(repo("old.pt"));
    listUnpackedAsTheScriptDoes();
    for (const path of ["a.pt", "runs/1/b.pt", "runs/1/log", "venv/pyvenv.cfg", "venv/c.pt", "x/__pycache__/d"])
      write(repo(path));
    const kept = await keep({ outputGlobs });
    expect(Object.keys(listTree(join(dir, "outputs")))).toEqual(expected);
    expect(kept).toMatchObject({ files: expected.length, leftOut: { files: 6 - expected.length } });
  });

  test("has names of any bytes, and folders that nobody may enter or write to", async () => {
    listUnpackedAsTheScriptDoes();
    const name = Buffer.from("x\xff\n\u001b[31m", "latin1");
    write(repo("shut/sub/file"), "shut");
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/repo/shut/`), name]), "odd");
    write(repo("secret"), "unreadable");
    chmodSync(repo("secret"), 0o000);
    chmodSync(repo("shut/sub"), 0o555);
    chmodSync(repo("shut"), 0o000);
    expect(await keep()).toMatchObject({ files: 3, bytes: 17 });
    expect(readFileSync(outputs("shut/sub/file"), "utf8")).toBe("shut");
    expect(readFileSync(Buffer.concat([Buffer.from(`${dir}/outputs/shut/`), name]), "utf8")).toBe("odd");
    expect(readFileSync(outputs("secret"), "utf8")).toBe("unreadable");
  });

  test("is moved, not copied: sparse files stay so, and names of one file are names of one file", async () => {
    listUnpackedAsTheScriptDoes();
    write(repo("sparse"), "");
    truncateSync(repo("sparse"), 10_000_000_000);
    write(repo("one"));
    linkSync(repo("one"), repo("two"));
    const before = ["sparse", "one", "two"].map((path) => lstatSync(repo(path)).ino);
    await keep();
    expect(["sparse", "one", "two"].map((path) => lstatSync(outputs(path)).ino)).toEqual(before);
    expect(lstatSync(outputs("sparse")).blocks).toBeLessThan(100);
  });
});

describe("a name that is taken in the folder of what is kept", () => {
  test("stays with what has it; the other gets the next free one, and the job says so", async () => {
    listUnpackedAsTheScriptDoes();
    write(outputs("ckpt"), "own");
    write(outputs("ckpt~1"), "own 1");
    write(outputs("runs"), "a file");
    write(outputs("both/x"), "own x");
    write(repo("ckpt"), "repo");
    write(repo("runs/log"), "log");
    write(repo("both/x"), "repo x");
    write(repo("both/y"), "repo y");
    const { notes, files } = await keep();
    expect(listTree(join(dir, "outputs"))).toEqual({
      ...{ ckpt: "own", "ckpt~1": "own 1", "ckpt~2": "repo", runs: "a file", "runs~1/log": "log" },
      ...{ "both/x": "own x", "both/x~1": "repo x", "both/y": "repo y" },
    });
    expect(files).toBe(8);
    expect(notes.toSorted()).toEqual([
      "both/x is kept as x~1: its name was taken",
      "ckpt is kept as ckpt~2: its name was taken",
      "runs is kept as runs~1: its name was taken",
    ]);
  });

  test("may be as long as names can be", async () => {
    listUnpackedAsTheScriptDoes();
    const name = "n".repeat(255);
    write(outputs(name), "own");
    write(repo(name), "repo");
    await keep();
    expect(readFileSync(outputs(`${"n".repeat(253)}~1`), "utf8")).toBe("repo");
  });
});

describe("links", () => {
  test("are kept as they are, and nothing behind them is touched", async () => {
    const outside = mkdtempSync(join(tmpdir(), "nexus-outside-"));
    try {
      write(join(outside, "file"), "outside");
      listUnpackedAsTheScriptDoes();
      symlinkSync(outside, repo("out"));
      symlinkSync(join(outside, "file"), repo("file"));
      symlinkSync(outside, outputs("runs"));
      write(repo("runs/a"), "a");
      expect(await keep()).toMatchObject({ files: 4 });
      expect(listTree(outside)).toEqual({ file: "outside" });
      expect(lstatSync(outputs("out")).isSymbolicLink()).toBe(true);
      expect(readFileSync(outputs("runs~1/a"), "utf8")).toBe("a");
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  test.each(["repo", "outputs"])(
    "in the place of %s/ are not followed: nothing is moved, and that is said",
    async (name) => {
      const outside = mkdtempSync(join(tmpdir(), "nexus-outside-"));
      try {
        write(join(outside, "file"), "outside");
        write(repo("a"));
        renameSync(join(dir, name), join(dir, "aside"));
        symlinkSync(outside, join(dir, name));
        expect(await failToKeep()).toBe(`${name}/ is no folder any more`);
        expect(listTree(outside)).toEqual({ file: "outside" });
      } finally {
        rmSync(outside, { recursive: true });
      }
    },
  );
});

test("the folder of what is kept is made anew where the job removed it", async () => {
  rmSync(join(dir, "outputs"), { recursive: true });
  write(repo("a"));
  expect(await keep()).toMatchObject({ files: 1 });
});

test("a move that is cut off anywhere is gone on with: each file is in one place, and each new name is told", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(6), { minLength: 1, maxLength: 6 }), async (cuts) => {
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(join(dir, "repo/sub"), { recursive: true });
      mkdirSync(join(dir, "outputs"));
      listUnpackedAsTheScriptDoes();
      const names = ["a", "b", "sub/c", "sub/d", "sub/x/e", "z"];
      for (const name of names) write(repo(name), name);
      write(outputs("b"), "own");
      const notes: string[][] = [];
      for (const cut of [...cuts, 100]) {
        let moved = 0;
        const stop = (): void => {
          if (moved === cut) throw new Error("cut off");
          moved += 1;
        };
        const kept = await createJobOutputs(serverDir, stop).keep(createEnded(ID));
        if (kept.ok) notes.push([...kept.value.notes]);
        const places = [
          ...Object.values(listTree(join(dir, "repo"))),
          ...Object.values(listTree(join(dir, "outputs"))),
        ];
        expect(places.toSorted()).toEqual(["own", ...names].toSorted());
      }
      expect(notes.at(-1)).toEqual(["b is kept as b~1: its name was taken"]);
      expect(Object.keys(listTree(join(dir, "outputs")))).toEqual([...names, "b~1"].toSorted());
    }),
    { numRuns: 30 },
  );
});

describe("whether a job may have made something", () => {
  const holdsWork = (): Promise<boolean> => createJobOutputs(serverDir).holdsWork(ID);

  test("is asked of its folder and that of what is kept, once its command may have started", async () => {
    expect(await holdsWork()).toBe(false);
    write(repo("a"));
    expect(await holdsWork()).toBe(true);
    rmSync(join(dir, "repo"), { recursive: true });
    expect(await holdsWork()).toBe(false);
    write(outputs("a"));
    expect(await holdsWork()).toBe(true);
    rmSync(join(dir, "started"));
    expect(await holdsWork()).toBe(true);
    rmSync(outputs("a"));
    expect(await holdsWork()).toBe(false);
  });

  const WITHOUT_START: readonly (readonly [boolean, string, () => void])[] = [
    [false, "only what was unpacked is there", () => undefined],
    [true, "something is new", () => write(repo("new"))],
    [true, "something is changed", () => write(repo("old"), "changed")],
    [true, "nothing says what was unpacked", () => rmSync(join(dir, "manifest"))],
    [true, "its folder became a link", () => symlinkRepo()],
    [
      false,
      "its code is still being unpacked",
      () => {
        rmSync(join(dir, "manifest"));
        writeFileSync(join(dir, "artifact"), "");
      },
    ],
  ];

  const symlinkRepo = (): void => {
    renameSync(join(dir, "repo"), join(dir, "aside"));
    symlinkSync("aside", join(dir, "repo"));
  };

  test.each(WITHOUT_START)("is %p where nothing says that it started, and %s", async (expected, _what, change) => {
    write(repo("old"));
    listUnpackedAsTheScriptDoes();
    rmSync(join(dir, "started"));
    change();
    expect(await holdsWork()).toBe(expected);
    await createJobDirectory(serverDir).removeRepo(ID);
    expect(existsSync(join(dir, "repo"))).toBe(expected);
  });

  test("is taken for granted where a folder can't be looked into, or is none any more", async () => {
    chmodSync(join(dir, "repo"), 0o000);
    if (process.getuid?.() !== 0) expect(await holdsWork()).toBe(true);
    chmodSync(join(dir, "repo"), 0o700);
    rmSync(join(dir, "repo"), { recursive: true });
    symlinkSync("outputs", join(dir, "repo"));
    expect(await holdsWork()).toBe(true);
  });
});

describe("listing", () => {
  const list = (limit = 100, offset = 0, below = "") =>
    createJobOutputs(serverDir).list(createEnded(ID), below, { limit, offset });

  test("has all files and links by path, in pages, with what all of them take", async () => {
    for (const path of ["b/2", "b/1", "b-1", "a"]) write(outputs(path), "1234");
    symlinkSync("../nowhere", outputs("c"));
    const page = await list();
    expect(page?.files.map(({ path, kind, size, target }) => [path, kind, size, target])).toEqual([
      ["a", "file", 4, null],
      ["b-1", "file", 4, null],
      ["b/1", "file", 4, null],
      ["b/2", "file", 4, null],
      ["c", "link", 0, "../nowhere"],
    ]);
    expect(page?.total).toEqual({ files: 5, bytes: 16 });
    expect((await list(2, 1))?.files.map(({ path }) => path)).toEqual(["b-1", "b/1"]);
    expect(await list(2, 9)).toEqual({ files: [], total: { files: 5, bytes: 16 } });
    expect((await list(9, 0, "b"))?.files.map(({ path }) => path)).toEqual(["b/1", "b/2"]);
    expect((await list(9, 0, "b/1"))?.total).toEqual({ files: 1, bytes: 4 });
    expect(await list(9, 0, "nothing")).toBeNull();
  });

  test("of a job that runs also has what is new or changed so far, and of none that is gone anything", async () => {
    write(repo("old"));
    listUnpackedAsTheScriptDoes();
    for (const path of ["new", "both", "x/y", "__pycache__/z"]) write(repo(path), "repo");
    for (const path of ["both", "kept"]) write(outputs(path), "in outputs");
    const page = await createJobOutputs(serverDir).list(createRunning(ID), "", { limit: 100, offset: 0 });
    expect(page?.files.map(({ path, size }) => [path, size])).toEqual([
      ["both", 10],
      ["kept", 10],
      ["new", 4],
      ["x/y", 4],
    ]);
    rmSync(dir, { recursive: true });
    expect(await list()).toEqual({ files: [], total: { files: 0, bytes: 0 } });
  });
});

describe("folders that lie thousands deep", () => {
  const dig = (path: string): void => {
    const script = "import os\nfor _ in range(3000): os.mkdir('deep'); os.chdir('deep')\nopen('bottom', 'w').close()";
    expect(spawnSync("python3", ["-c", script], { cwd: path }).status).toBe(0);
  };

  const countOpen = (): number => readdirSync("/proc/self/fd").length;

  const hasBottom = (path: string): boolean => {
    const script = "import os\nwhile os.path.isdir('deep'): os.chdir('deep')\nprint(os.path.exists('bottom'))";
    return spawnSync("python3", ["-c", script], { cwd: path }).stdout.toString() === "True\n";
  };

  const listPaths = async (job: EndedJob): Promise<readonly string[]> => {
    const page = await createJobOutputs(serverDir).list(job, "", { limit: 100, offset: 0 });
    return page?.files.map(({ path }) => path) ?? [];
  };

  const drain = async (job: EndedJob): Promise<number> =>
    (await new Response(createJobOutputs(serverDir).pack(job, [])).arrayBuffer()).byteLength;

  test("are passed over among what is kept: the files above are listed and fetched, the job says so, and all stays", async () => {
    listUnpackedAsTheScriptDoes();
    write(outputs("deep/above"));
    write(outputs("top"));
    renameSync(outputs("deep"), outputs("x"));
    dig(outputs("x"));
    const before = countOpen();
    const kept = await keep();
    expect(kept).toMatchObject({
      files: 2,
      tooDeep: 1,
      notes: [expect.stringMatching(/more than 200 deep in outputs/)],
    });
    const job = createEnded(ID);
    expect(await listPaths(job)).toEqual(["top", "x/above"]);
    expect(await drain(job)).toBeGreaterThan(2000);
    expect(countOpen()).toBeLessThanOrEqual(before);
    await createJobOutputs(serverDir).finish(ID);
    expect(hasBottom(outputs("x"))).toBe(true);
  });

  test("stay in the job's folder, and the job says so; the files above are listed and fetched", async () => {
    listUnpackedAsTheScriptDoes();
    write(repo("above"));
    dig(join(dir, "repo"));
    const before = countOpen();
    expect(await failToKeep()).toBe("folders lie more than 200 deep");
    const job = createEnded(ID, { outputs: { ...createEnded(ID).outputs, state: "failed" } });
    expect(await listPaths(job)).toEqual(["above"]);
    expect(await drain(job)).toBeGreaterThan(1000);
    expect(countOpen()).toBeLessThanOrEqual(before);
    expect(hasBottom(join(dir, "repo"))).toBe(true);
    expect(await createJobOutputs(serverDir).open(job, "above")).not.toBeNull();
  });
});
