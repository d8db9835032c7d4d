import { describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Bench, gitIn, useBench } from "../../../tests/support/git-bench.ts";
import { listProcessesWith } from "../../../tests/support/programs.ts";
import { letPass, waitUntil } from "../../../tests/support/wait.ts";
import { takeSnapshot } from "./code-snapshot.ts";

const ROUNDS = 6;
const CYCLE_ROUNDS = 16;

let folder: string;
let repository: string;
let others: string;
let remote: string;
let git: Bench["git"];
let write: Bench["write"];
let commitAll: Bench["commitAll"];
let snap: Bench["snap"];
let unpack: Bench["unpack"];

useBench((bench) => {
  ({ folder, repository, git, write, commitAll, snap, unpack } = bench);
  others = join(folder, "others");
  remote = join(folder, "remote.git");
  mkdirSync(others);
});

const listAll = (top: string): readonly string[] => readdirSync(top, { recursive: true, encoding: "utf8" }).toSorted();

const readEntry = (path: string): string => {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return readlinkSync(path);
  return status.isDirectory() ? "" : readFileSync(path, "latin1");
};

const hash = (text: string): string => createHash("sha256").update(text, "latin1").digest("hex").slice(0, 8);

const isFreshenedByReading = (path: string): boolean =>
  /\/objects\/([0-9a-f]{2}\/[0-9a-f]+|pack\/.*)$|\/sharedindex\.[0-9a-f]+$/.test(path);

const describeEntry = (path: string): string => {
  const { mode, mtimeMs } = lstatSync(path);
  return `${mode.toString(8)} ${isFreshenedByReading(path) ? "" : mtimeMs} ${hash(readEntry(path))}`;
};

const describeAll = (top = repository): Readonly<Record<string, string>> =>
  Object.fromEntries(listAll(top).map((name) => [name, describeEntry(join(top, name))]));

const expectSnapshotLeavesAllAsItWas = async (cwd = repository): Promise<string> => {
  const before = [describeAll(), describeAll(cwd)];
  const unpacked = await unpack(await snap(cwd));
  expect([describeAll(), describeAll(cwd)]).toEqual(before);
  return unpacked;
};

const listGitView = (cwd = repository): readonly string[] =>
  gitIn(cwd, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    .split("\0")
    .filter((name) => name !== "" && lstatSync(join(cwd, name), { throwIfNoEntry: false })?.isDirectory() === false)
    .toSorted();

const isPlain = (top: string, name: string): boolean => !lstatSync(join(top, name)).isDirectory();

const expectSameFiles = (unpacked: string, cwd = repository): void => {
  expect(listAll(unpacked).filter((name) => isPlain(unpacked, name))).toEqual([...listGitView(cwd)]);
  for (const name of listGitView(cwd)) {
    expect([name, readEntry(join(unpacked, name))]).toEqual([name, readEntry(join(cwd, name))]);
    const modes = [join(unpacked, name), join(cwd, name)].map((path) => lstatSync(path).mode & 0o100);
    expect([name, modes[0]]).toEqual([name, modes[1]]);
  }
};

const makeBusy = (): void => {
  write(".gitignore", "ignored\n*.log\n");
  write("kept.txt", "kept");
  write("changed.txt", "before");
  write("gone.txt", "gone");
  write("script.sh", "#!/bin/sh\n");
  commitAll();
  write("changed.txt", "stashed");
  git("stash");
  write("changed.txt", "staged");
  git("add", "changed.txt");
  write("changed.txt", "after\r\n");
  write("new/unträcked 'x'.txt", "new");
  write("ignored", "secret");
  write("new/a.log", "log");
  chmodSync(join(repository, "script.sh"), 0o755);
  symlinkSync("nowhere", join(repository, "dangling"));
  rmSync(join(repository, "gone.txt"));
  git("add", "--intent-to-add", "new");
};

describe("what travels is what git sees in the working tree", () => {
  test("with every kind of change at once", async () => {
    makeBusy();
    expectSameFiles(await expectSnapshotLeavesAllAsItWas());
  });

  test("in an empty repository", async () => {
    expect(listAll(await expectSnapshotLeavesAllAsItWas())).toEqual([]);
  });

  test("where a file became a folder and a folder a link", async () => {
    write("file", "x");
    write("folder/inside", "x");
    commitAll();
    rmSync(join(repository, "file"));
    write("file/inside", "y");
    rmSync(join(repository, "folder"), { recursive: true });
    symlinkSync("file", join(repository, "folder"));
    expectSameFiles(await expectSnapshotLeavesAllAsItWas());
  });

  test("where attributes ask for other line ends", async () => {
    write(".gitattributes", "*.txt text eol=crlf\n*.sh text eol=lf\n*.bin binary\n");
    write("a.txt", "one\r\ntwo\r\n");
    write("b.sh", "one\n");
    write("c.bin", "\0\r\n\u00ff");
    expectSameFiles(await expectSnapshotLeavesAllAsItWas());
  });

  test("in a linked worktree, a submodule and a sub-folder of it", async () => {
    makeBusy();
    const linked = join(folder, "linked");
    git("worktree", "add", "--quiet", linked, "-b", "other");
    writeFileSync(join(linked, "b"), "two");
    expectSameFiles(await expectSnapshotLeavesAllAsItWas(linked), linked);
    const outer = join(folder, "outer");
    gitIn(folder, "init", "--quiet", outer);
    gitIn(outer, "submodule", "--quiet", "add", repository, "inner");
    const inner = join(outer, "inner");
    mkdirSync(join(inner, "deep"));
    writeFileSync(join(inner, "deep", "c"), "three");
    const snapshot = await snap(join(inner, "deep"));
    expect([snapshot.subFolder, snapshot.warnings]).toEqual(["deep", []]);
    expectSameFiles(await unpack(snapshot), inner);
  });

  test("and a copy of the repository elsewhere gives the same tree", async () => {
    makeBusy();
    const copy = join(folder, "a copy");
    cpSync(repository, copy, { recursive: true, verbatimSymlinks: true });
    const [first, second] = [await snap(), await snap(copy)];
    expect(first.treeSha).toBe(second.treeSha);
    first.dispose();
    second.dispose();
  });
});

describe("nothing of the user's is touched or run", () => {
  test("no hook runs", async () => {
    makeBusy();
    const mark = join(folder, "hook-ran");
    for (const name of ["post-index-change", "pre-commit", "post-checkout", "reference-transaction"]) {
      write(`.git/hooks/${name}`, `#!/bin/sh\necho ${name} >> '${mark}'\n`);
      chmodSync(join(repository, ".git", "hooks", name), 0o755);
    }
    await expectSnapshotLeavesAllAsItWas();
    expect(existsSync(mark)).toBe(false);
  });

  test.each(["core.splitIndex", "core.untrackedCache", "feature.manyFiles", "core.fsmonitor"])(
    "with %s set",
    async (setting) => {
      git("config", setting, "true");
      makeBusy();
      git("-c", "core.fsmonitor=false", "status");
      expectSameFiles(await expectSnapshotLeavesAllAsItWas());
    },
  );

  test("while another git holds the index's lock", async () => {
    makeBusy();
    write(".git/index.lock", "");
    expectSameFiles(await expectSnapshotLeavesAllAsItWas());
  });

  test("with conflicts of a merge", async () => {
    write("both", "base\n");
    commitAll();
    git("checkout", "--quiet", "-b", "other");
    write("both", "theirs\n");
    commitAll();
    git("checkout", "--quiet", "main");
    write("both", "ours\n");
    commitAll();
    expect(() => git("merge", "other")).toThrow();
    const unpacked = await expectSnapshotLeavesAllAsItWas();
    expect(readFileSync(join(unpacked, "both"), "utf8")).toContain("<<<<<<<");
  });
});

describe("a repository that git refuses", () => {
  test("is told as git tells it, not as no repository", async () => {
    write("a", "a");
    appendFileSync(join(repository, ".git", "config"), "[broken\n");
    const snapshot = await takeSnapshot(repository);
    expect(snapshot?.ok === false && snapshot.error.message).toContain("config");
  });

  test("a bare one has no files to send", async () => {
    const bare = join(folder, "bare");
    gitIn(folder, "init", "--quiet", "--bare", bare);
    const snapshot = await takeSnapshot(bare);
    expect(snapshot?.ok === false && snapshot.error.hint).toContain("--no-git");
  });
});

const listOurs = (): readonly string[] => readdirSync(folder).filter((name) => name.startsWith("nx-snapshot-"));

const isGitAtWork = (): boolean =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`GIT_INDEX_FILE=${folder}`);
      } catch {
        return false;
      }
    });

const isAnythingAtWork = (): boolean => listProcessesWith(`TMPDIR=${folder}`).length > 0;

const FOR_EVER = "for (;;) await new Promise((resolve) => setTimeout(resolve, 1000));";

const runApart = (work: string, cwd = repository): ChildProcess => {
  const module = JSON.stringify(join(import.meta.dirname, "code-snapshot.ts"));
  const program = `
    const { takeSnapshot } = await import(${module});
    console.log("begun");
    const take = () => takeSnapshot(${JSON.stringify(cwd)});
    ${work}
  `;
  return spawn(process.execPath, ["-e", program], {
    env: { ...process.env, TMPDIR: folder },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
};

const takeOneApart = (after = ""): ChildProcess =>
  runApart(`
    const snapshot = await take();
    ${after}
    await snapshot.value.writeTar(snapshot.value.folder + "/tree.tar");
    snapshot.value.dispose();
  `);

const takeOneAfterAnother = (): ChildProcess =>
  runApart("for (;;) { (await take()).value.dispose(); await new Promise((resolve) => setImmediate(resolve)); }");

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const waitForExit = async (child: ChildProcess): Promise<void> => {
  if (!isOver(child)) await new Promise((resolve) => child.once("exit", resolve));
};

describe("a snapshot that is stopped", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s, to the client alone or to all of its terminal, leaves nothing behind",
    async (signal) => {
      makeBusy();
      const before = describeAll();
      for (let round = 0; round < ROUNDS; round++) {
        const child = takeOneApart();
        await new Promise((resolve) => child.stdout?.once("data", resolve));
        await letPass(round * 14);
        if (child.pid !== undefined && !isOver(child)) process.kill(round % 2 === 0 ? child.pid : -child.pid, signal);
        await waitForExit(child);
        await waitUntil(() => !isGitAtWork());
        expect(listOurs()).toEqual([]);
        expect(describeAll()).toEqual(before);
      }
    },
  );

  test("by SIGINT ends and leaves nothing behind, also just as one is begun or done with", async () => {
    makeBusy();
    for (let round = 0; round < CYCLE_ROUNDS; round++) {
      const child = takeOneAfterAnother();
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      await letPass(round * 4);
      child.kill("SIGINT");
      await waitForExit(child);
      expect(child.exitCode ?? child.signalCode).toBeOneOf([130, "SIGINT"]);
      await waitUntil(() => !isGitAtWork());
      expect(listOurs()).toEqual([]);
    }
  });

  test("by SIGKILL leaves a folder at most, which the next one removes, and never that of a live one", async () => {
    makeBusy();
    const before = describeAll();
    const killed = takeOneApart(FOR_EVER);
    await waitUntil(() => listOurs().length === 1);
    const live = takeOneApart(FOR_EVER);
    await waitUntil(() => listOurs().length === 2);
    killed.kill("SIGKILL");
    await waitForExit(killed);
    await waitUntil(() => !isGitAtWork());
    const kept = listOurs().filter((name) => !name.includes(`-${killed.pid}-`));
    expect(kept).toHaveLength(1);
    await waitForExit(takeOneApart());
    expect(listOurs()).toEqual([...kept]);
    expect(describeAll()).toEqual(before);
    live.kill("SIGKILL");
    await waitForExit(live);
  });
});

const makeInner = (): string => {
  makeBusy();
  const outer = join(others, "outer");
  gitIn(others, "init", "--quiet", outer);
  gitIn(outer, "submodule", "--quiet", "add", repository, "inner");
  gitIn(outer, "commit", "--quiet", "-m", "one");
  writeFileSync(join(outer, "new"), "new");
  writeFileSync(join(outer, "inner", "new"), "new");
  return outer;
};

const stopRebaseHalfway = (): string => {
  write("both", "base\n");
  commitAll();
  git("checkout", "--quiet", "-b", "other");
  write("both", "theirs\n");
  commitAll();
  git("checkout", "--quiet", "main");
  write("both", "ours\n");
  commitAll();
  write("fine", "fine");
  commitAll();
  expect(() => git("rebase", "other")).toThrow();
  return repository;
};

const checkOutSparsely = (): string => {
  for (const name of ["in/a", "out/b", "out/deep/c"]) write(name, name);
  commitAll();
  git("sparse-checkout", "set", "--cone", "in");
  write("in/a", "changed");
  write("in/new", "new");
  return repository;
};

const useStrangeNames = (): string => {
  const names = [
    "two\nlines",
    "\nfirst",
    "new\nfolder/a\tb",
    '"quoted" \\n',
    "-dash",
    ":(top)",
    "*",
    " ",
    "日本\u0301",
  ];
  for (const name of names) write(name, "before");
  commitAll();
  for (const name of names.slice(0, 3)) write(name, "after");
  write("new\nfolder/another\n", "new");
  return repository;
};

const addBareWithWorktree = (): string => {
  makeBusy();
  gitIn(others, "clone", "--quiet", "--bare", repository, ".bare");
  writeFileSync(join(others, ".git"), "gitdir: ./.bare\n");
  gitIn(others, "worktree", "add", "--quiet", "tree", "main");
  writeFileSync(join(others, "tree", "new"), "new");
  return join(others, "tree");
};

const separateGitFolder = (): string => {
  const tree = join(others, "tree");
  gitIn(others, "init", "--quiet", "--initial-branch=main", `--separate-git-dir=${join(others, "apart")}`, tree);
  writeFileSync(join(tree, "new"), "new");
  return tree;
};

const cloneShallowly = (): string => {
  makeBusy();
  commitAll();
  gitIn(folder, "init", "--quiet", "--bare", remote);
  git("push", "--quiet", remote, "HEAD:refs/heads/main");
  const shallow = join(others, "shallow");
  gitIn(others, "clone", "--quiet", "--depth=1", `file://${repository}`, shallow);
  writeFileSync(join(shallow, "fresh"), "fresh");
  return shallow;
};

const PLACES: Readonly<Record<string, () => string>> = {
  "a branch with every kind of change": () => {
    makeBusy();
    return repository;
  },
  "an unborn branch": () => {
    write("a", "a");
    return repository;
  },
  "a detached HEAD": () => {
    makeBusy();
    git("checkout", "--quiet", "--detach");
    return repository;
  },
  "a repository with submodules": makeInner,
  "a submodule": () => join(makeInner(), "inner"),
  "a linked worktree": () => {
    makeBusy();
    git("worktree", "add", "--quiet", join(others, "linked"), "-b", "other");
    writeFileSync(join(others, "linked", "new"), "new");
    return join(others, "linked");
  },
  "a worktree of a bare repository": addBareWithWorktree,
  "a tree whose .git is a file": separateGitFolder,
  "a rebase in progress": stopRebaseHalfway,
  "a sparse checkout": checkOutSparsely,
  "a shallow clone": cloneShallowly,
  "names with newlines": useStrangeNames,
};

const stand = (place: string): string => {
  const cwd = PLACES[place]?.() ?? repository;
  gitIn(folder, "init", "--quiet", "--bare", remote);
  gitIn(cwd, "config", "remote.origin.url", remote);
  gitIn(cwd, "config", "--add", "remote.origin.fetch", "+refs/tags/*:refs/tags/*");
  return cwd;
};

const describeMine = (): readonly unknown[] => [describeAll(repository), describeAll(others)];

describe("a snapshot with its tag pushed touches nothing in", () => {
  test.each(Object.keys(PLACES))("%s", async (place) => {
    const cwd = stand(place);
    const before = describeMine();
    const snapshot = await snap(cwd);
    expect(await snapshot.pushTags(["nexus-k3f9ab"])).toEqual({ names: ["nexus-k3f9ab"], problem: null });
    const unpacked = await unpack(snapshot);
    expect(describeMine()).toEqual(before);
    expect(gitIn(remote, "rev-parse", "nexus-k3f9ab^{tree}").trim()).toBe(snapshot.treeSha);
    gitIn(remote, "fsck", "--strict");
    const seen = listGitView(cwd);
    expect(listAll(unpacked)).toEqual(expect.arrayContaining([...seen]));
    for (const name of seen)
      expect([name, readEntry(join(unpacked, name))]).toEqual([name, readEntry(join(cwd, name))]);
  });

  const tagOneAfterAnother = (cwd: string): ChildProcess =>
    runApart(
      `for (let number = 0; ; number++) {
        const { value } = await take();
        await value.pushTags(["nexus-" + number]);
        await value.writeTar(value.folder + "/tree.tar");
        value.dispose();
        await new Promise((resolve) => setImmediate(resolve));
      }`,
      cwd,
    );

  const STOPS = [
    ["SIGINT", false],
    ["SIGKILL", true],
    ["SIGINT", true],
  ] as const;

  const LATEST_MS = 150;

  const stopOne = async (cwd: string, [signal, isToAll]: (typeof STOPS)[number], momentMs: number): Promise<void> => {
    const child = tagOneAfterAnother(cwd);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await letPass(momentMs);
    const pid = Number(child.pid);
    process.kill(isToAll ? -pid : pid, signal);
    await waitForExit(child);
    await waitUntil(() => !isAnythingAtWork());
    if (signal === "SIGINT") expect(listOurs().filter((name) => name.includes(`-${pid}-`))).toEqual([]);
  };

  test.each(Object.keys(PLACES))("%s, when it is stopped at any moment", async (place) => {
    const cwd = stand(place);
    const before = describeMine();
    const moments = fc.tuple(...STOPS.map(() => fc.nat(LATEST_MS)));
    const stopAll = fc.asyncProperty(moments, async (chosen) => {
      for (const [index, stop] of STOPS.entries()) {
        await stopOne(cwd, stop, chosen[index] ?? 0);
        expect(describeMine()).toEqual(before);
      }
    });
    await fc.assert(stopAll, { numRuns: 1, endOnFailure: true });
  });
});
