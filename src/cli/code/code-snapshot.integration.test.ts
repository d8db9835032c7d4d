import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { AUTHOR, type Bench, gitIn, openBench, useBench } from "../../../tests/support/git-bench.ts";
import { phraseFailure } from "../../command-line/usage.ts";
import { takeSnapshot } from "./code-snapshot.ts";

const MIB = 1024 * 1024;
const POINTER = "version https://git-lfs.github.com/spec/v1";

let folder: string;
let repository: string;
let git: Bench["git"];
let write: Bench["write"];
let commitAll: Bench["commitAll"];
let snap: Bench["snap"];
let unpack: Bench["unpack"];

useBench((bench) => {
  ({ folder, repository, git, write, commitAll, snap, unpack } = bench);
});

const listFiles = (top: string): readonly string[] =>
  readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((name) => !lstatSync(join(top, name)).isDirectory())
    .toSorted();

const describeFile = (path: string): string => {
  const { mode, mtimeMs } = lstatSync(path);
  const isLink = lstatSync(path).isSymbolicLink();
  const content = isLink ? readlinkSync(path) : createHash("sha256").update(readFileSync(path)).digest("hex");
  const isObject = path.startsWith(join(repository, ".git", "objects"));
  return `${mode} ${isObject ? "" : mtimeMs} ${content}`;
};

const describeAll = (): Readonly<Record<string, string>> =>
  Object.fromEntries(listFiles(repository).map((name) => [name, describeFile(join(repository, name))]));

const makeBusy = (): void => {
  write("kept.txt", "kept");
  write("changed.txt", "before");
  write("gone.txt", "gone");
  commitAll();
  write("changed.txt", "stashed");
  git("stash");
  write("changed.txt", "staged");
  git("add", "changed.txt");
  write("changed.txt", "after");
  write("new/untracked.txt", "new");
  rmSync(join(repository, "gone.txt"));
};

describe("a snapshot", () => {
  test("holds the files as they are: changed, new and without the deleted and the ignored", async () => {
    write(".gitignore", "ignored\n");
    makeBusy();
    write("ignored", "secret");
    chmodSync(join(repository, "kept.txt"), 0o755);
    symlinkSync("kept.txt", join(repository, "link"));
    const snapshot = await snap();
    expect(snapshot.isDirty).toBe(true);
    const unpacked = await unpack(snapshot);
    expect(listFiles(unpacked)).toEqual([".gitignore", "changed.txt", "kept.txt", "link", "new/untracked.txt"]);
    expect(readFileSync(join(unpacked, "changed.txt"), "utf8")).toBe("after");
    expect(lstatSync(join(unpacked, "kept.txt")).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(unpacked, "link"))).toBe("kept.txt");
  });

  test("of a clean tree is HEAD's tree", async () => {
    write("a", "a");
    commitAll();
    const snapshot = await snap();
    expect([snapshot.isDirty, snapshot.treeSha]).toEqual([false, git("rev-parse", "HEAD^{tree}").trim()]);
    snapshot.dispose();
  });

  test("is dirty by what git status says or was told to look away from, not by what nothing converts", async () => {
    const isDirty = async (): Promise<boolean> => {
      const snapshot = await snap();
      snapshot.dispose();
      return snapshot.isDirty;
    };
    write(".gitattributes", "*.txt text eol=crlf\n");
    write("a.txt", "one\r\n");
    for (const name of ["left-out", "assumed", "skipped"]) write(name, "kept");
    commitAll();
    git("update-index", "--assume-unchanged", "assumed");
    git("update-index", "--skip-worktree", "skipped", "left-out");
    rmSync(join(repository, "left-out"));
    expect(await isDirty()).toBe(false);
    for (const name of ["assumed", "skipped"]) {
      write(name, "changed");
      expect(await isDirty()).toBe(true);
      expect(readFileSync(join(await unpack(await snap()), name), "utf8")).toBe("changed");
      write(name, "kept");
      expect(await isDirty()).toBe(false);
    }
    git("config", "status.showUntrackedFiles", "no");
    write("new", "");
    expect(await isDirty()).toBe(true);
    expect(git("ls-files", "-v", "assumed", "skipped")).toBe("h assumed\nS skipped\n");
  });

  test("says from which commit it is, or that there is none yet", async () => {
    write("a", "one");
    const unborn = await snap();
    commitAll();
    const committed = await snap();
    expect([unborn.commit, committed.commit]).toEqual([null, git("rev-parse", "HEAD").trim()]);
    unborn.dispose();
    committed.dispose();
  });

  test("leaves no file out and changes none, whatever its attributes say", async () => {
    write(".gitattributes", "hidden export-ignore\nstamp export-subst\n");
    write("hidden", "here");
    write("stamp", "$Format:%H$");
    commitAll();
    const unpacked = await unpack(await snap());
    expect(readFileSync(join(unpacked, "hidden"), "utf8")).toBe("here");
    expect(readFileSync(join(unpacked, "stamp"), "utf8")).toBe("$Format:%H$");
  });

  test("takes names with spaces, quotes, newlines and any Unicode", async () => {
    const names = ["a b", "it's", 'say "x"', "two\nlines", "ünï 🙂", "-dash"];
    for (const name of names) write(name, name);
    expect(listFiles(await unpack(await snap()))).toEqual(names.toSorted());
  });

  test("is taken of the whole repository from a sub-folder", async () => {
    write("top", "");
    write("sub/deep/file", "");
    const snapshot = await snap(join(repository, "sub/deep"));
    expect(snapshot.subFolder).toBe("sub/deep");
    expect(listFiles(await unpack(snapshot))).toEqual(["sub/deep/file", "top"]);
  });

  test("works on an unborn branch, a detached HEAD and a linked worktree", async () => {
    write("a", "one");
    const unborn = await snap();
    expect([unborn.branch, unborn.isDirty]).toEqual(["main", true]);
    expect(listFiles(await unpack(unborn))).toEqual(["a"]);
    commitAll();
    git("checkout", "--quiet", "--detach");
    const detached = await snap();
    expect(detached.branch).toBeNull();
    detached.dispose();
    const linked = join(folder, "linked");
    git("worktree", "add", "--quiet", linked, "-b", "other");
    writeFileSync(join(linked, "b"), "two");
    const worktree = await snap(linked);
    expect(worktree.branch).toBe("other");
    expect(listFiles(await unpack(worktree))).toEqual(["a", "b"]);
  });

  test("warns of submodules and of Git LFS", async () => {
    const inner = join(folder, "inner");
    mkdirSync(inner);
    execFileSync("git", ["init", "--quiet", inner]);
    execFileSync("git", ["-C", inner, "commit", "--quiet", "--allow-empty", "-m", "x"], {
      env: { ...process.env, ...AUTHOR },
    });
    git("submodule", "--quiet", "add", inner, "inner");
    write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    for (const name of ["a", "b", "c", "d"]) write(`models/${name}.bin`, `${POINTER}\noid sha256:${name}\n`);
    write("models/fetched.bin", "weights");
    const snapshot = await snap();
    expect(snapshot.warnings).toEqual([
      "Submodules do not travel with the job: inner",
      "Files in Git LFS travel as pointers, as they lie here; git lfs pull fetches what they point to: models/a.bin, models/b.bin, models/c.bin and 1 more",
    ]);
    expect(readFileSync(join(await unpack(snapshot), "models/fetched.bin"), "utf8")).toBe("weights");
  });

  test("holds what the user sees of files that a filter or an encoding changes, tracked or not, from a sub-folder too", async () => {
    git("config", "filter.upper.clean", "tr a-z A-Z");
    write(
      ".git/info/attributes",
      '"secret\\nkey" filter=upper\n*.u filter=upper\n*.wide working-tree-encoding=UTF-16LE\n',
    );
    const seen = { "secret\nkey": "secret", "a.u": "same size", "b.wide": "w\0i\0d\0e\0", "deep/c.u": "below" };
    for (const [name, text] of Object.entries(seen)) write(name, text);
    const expectSeen = async (): Promise<void> => {
      const snapshot = await snap(join(repository, "deep"));
      expect(snapshot.warnings).toEqual([]);
      const unpacked = await unpack(snapshot);
      for (const [name, text] of Object.entries(seen)) expect(readFileSync(join(unpacked, name), "utf8")).toBe(text);
    };
    await expectSeen();
    commitAll();
    expect(git("show", "HEAD:a.u")).toBe("SAME SIZE");
    await expectSeen();
  });

  test("warns of links that lead out of the code, the first few by name, and of no others", async () => {
    write("src/a", "1");
    for (const [name, target] of [
      ["in", "src/a"],
      ["src/up", "../src/../src/a"],
      ["dangling", "nothere"],
    ] as const)
      symlinkSync(target, join(repository, name));
    const calm = await snap();
    expect(calm.warnings).toEqual([]);
    symlinkSync("/mnt/data", join(repository, "data"));
    symlinkSync("../../beside", join(repository, "src/é"));
    commitAll();
    for (const name of ["x", "y"]) symlinkSync("..", join(repository, name));
    const snapshot = await snap();
    expect(snapshot.warnings).toEqual([
      "Links that lead out of the code travel as links, and find only what the server's machine has there: data -> /mnt/data, src/é -> ../../beside, x -> .. and 1 more",
    ]);
    calm.dispose();
    snapshot.dispose();
  });

  test("takes files as git keeps them where a filter, such as Git LFS's, can't work", async () => {
    const settings = join(folder, "gitconfig");
    writeFileSync(settings, '[filter "broken"]\n\tclean = cat\n\tsmudge = false\n\trequired = true\n');
    write(".gitattributes", "*.bin filter=broken\n");
    write("a.bin", "pointer");
    const before = process.env["GIT_CONFIG_GLOBAL"];
    process.env["GIT_CONFIG_GLOBAL"] = settings;
    try {
      expect(readFileSync(join(await unpack(await snap()), "a.bin"), "utf8")).toBe("pointer");
    } finally {
      if (before === undefined) delete process.env["GIT_CONFIG_GLOBAL"];
      else process.env["GIT_CONFIG_GLOBAL"] = before;
    }
  });

  test("is taken of a repository with SHA-256 names, in a folder with a colon", async () => {
    const other = openBench(folder, "with:colon", "--object-format=sha256");
    other.write("a", "a");
    other.commitAll();
    other.write("b", "b");
    const snapshot = await other.snap();
    expect(snapshot.treeSha).toHaveLength(64);
    expect(listFiles(await other.unpack(snapshot))).toEqual(["a", "b"]);
  });

  test("of a partial clone that lacks files says how to get them, and then holds them", async () => {
    write("in/a", "a");
    write("out/b", "b");
    commitAll();
    for (const name of ["allowFilter", "allowAnySHA1InWant"]) git("config", `uploadpack.${name}`, "true");
    const partial = join(folder, "partial");
    gitIn(folder, "clone", "--quiet", "--filter=blob:none", "--sparse", `file://${repository}`, partial);
    gitIn(partial, "sparse-checkout", "set", "in");
    const lacking = await snap(partial);
    const written = await lacking.writeTar(join(folder, "lacking.tar"));
    lacking.dispose();
    expect(written.ok === false && written.error.message).toContain("git archive HEAD >/dev/null");
    gitIn(partial, "archive", "--output=/dev/null", "HEAD");
    expect(listFiles(await unpack(await snap(partial)))).toEqual(["in/a", "out/b"]);
  });

  test("is refused before git copies anything when new files are too large, and names them", async () => {
    write("small", "small");
    for (const [name, bytes] of [
      ["larger", 40 * MIB],
      ["large", 20 * MIB],
    ] as const) {
      write(name, "");
      truncateSync(join(repository, name), bytes);
    }
    const snapshot = await takeSnapshot(repository);
    expect(snapshot?.ok === false && snapshot.error).toEqual({
      exitCode: 1,
      message: expect.stringContaining("60.0 MiB of files, at most 50 MiB can travel"),
    });
    expect(snapshot?.ok === false && snapshot.error.message).toContain("larger (40.0 MiB), large (20.0 MiB)");
    git("add", "large");
    const both = await takeSnapshot(repository);
    expect(both?.ok === false && both.error.message).toMatch(
      /new ones, to be added to \.gitignore: larger \(40.0 MiB\).*; tracked ones, .*git rm --cached.*: large \(20.0 MiB\)$/,
    );
    git("rm", "--quiet", "--cached", "large");
    write(".gitignore", "large*\n");
    (await snap()).dispose();
  });

  test("says what git can't take", async () => {
    write(".GIT/file", "");
    const snapshot = await takeSnapshot(repository);
    expect(snapshot?.ok === false && snapshot.error.message).toContain(".GIT/file");
  });

  test("holds the files of folders in which git was begun and nothing committed, and says which folders those are", async () => {
    write(".gitignore", "*.log\n");
    for (const name of ["inner", "inner/deeper", "with-commit"])
      gitIn(folder, "init", "--quiet", join(repository, name));
    gitIn(join(repository, "with-commit"), "commit", "--quiet", "--allow-empty", "-m", "one");
    for (const name of ["inner/a", "inner/a.log", "inner/kept", "inner/deeper/b", "with-commit/c"]) write(name, name);
    write("inner/.gitignore", "ours\n");
    write("inner/ours", "");
    gitIn(join(repository, "inner"), "add", "kept");
    const snapshot = await snap();
    expect(snapshot.warnings).toEqual([
      "Submodules do not travel with the job: with-commit",
      "Folders that are repositories without a commit travel as files: inner, inner/deeper",
    ]);
    const travelled = ["inner/.gitignore", "inner/a", "inner/deeper/b", "inner/kept"];
    expect(listFiles(await unpack(snapshot))).toEqual([".gitignore", ...travelled]);
  });

  test("of a repository that belongs to someone else is refused with what git says to do", async () => {
    process.env["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1";
    try {
      const snapshot = await takeSnapshot(repository);
      expect(snapshot?.ok === false && phraseFailure(snapshot.error)).toEndWith(
        `if you trust this one: git config --global --add safe.directory ${repository}`,
      );
    } finally {
      delete process.env["GIT_TEST_ASSUME_DIFFERENT_OWNER"];
    }
  });

  test("sees a change in the tick of the clock in which the index was written", async () => {
    const tick = new Date(1_700_000_000_000);
    const setTick = (name: string): void => utimesSync(join(repository, name), tick, tick);
    git("config", "core.trustctime", "false");
    write("seed", "1");
    setTick("seed");
    commitAll();
    write("seed", "2");
    setTick("seed");
    setTick(".git/index");
    expect(readFileSync(join(await unpack(await snap()), "seed"), "utf8")).toBe("2");
  });

  test("drops what was removed under assume-unchanged, and sees new files outside a sparse checkout", async () => {
    for (const name of ["assumed", "in/a", "out/b"]) write(name, name);
    commitAll();
    git("sparse-checkout", "set", "in");
    git("update-index", "--assume-unchanged", "assumed");
    rmSync(join(repository, "assumed"));
    write("out/new", "new");
    const snapshot = await snap();
    expect(snapshot.isDirty).toBe(true);
    expect(listFiles(await unpack(snapshot))).toEqual(["in/a", "out/b", "out/new"]);
  });

  test("is taken where git can't look into a submodule", async () => {
    mkdirSync(join(folder, "inner"));
    gitIn(folder, "init", "--quiet", "inner");
    gitIn(join(folder, "inner"), "commit", "--quiet", "--allow-empty", "-m", "one");
    git("submodule", "--quiet", "add", join(folder, "inner"), "inner");
    write("a", "before");
    commitAll();
    write("a", "after");
    writeFileSync(join(repository, "inner", ".git"), "gitdir: /nowhere\n");
    const snapshot = await snap();
    expect(readFileSync(join(await unpack(snapshot), "a"), "utf8")).toBe("after");
  });

  test("names the remote without its password", async () => {
    git("remote", "add", "origin", "https://user:secret@example.org/x.git");
    const snapshot = await snap();
    expect(snapshot.remoteUrl).toBe("https://example.org/x.git");
    snapshot.dispose();
  });

  test("is not there outside a repository", async () => {
    expect(await takeSnapshot(folder)).toBeNull();
  });
});

type Step = Readonly<{ name: string; text: string; after: "leave" | "stage" | "commit" }>;

const takeStep = ({ name, text, after }: Step): void => {
  rmSync(join(repository, name.split("/")[0] ?? ""), { recursive: true, force: true });
  write(name, text);
  if (after === "stage") git("add", "--all");
  if (after === "commit") commitAll();
};

const makeRepository = (steps: readonly Step[]): void => {
  rmSync(repository, { recursive: true });
  mkdirSync(repository);
  git("init", "--quiet");
  steps.forEach(takeStep);
};

describe("the user's repository", () => {
  test("is byte for byte what it was after a snapshot, whatever was in it", async () => {
    const name = fc.stringMatching(/^[a-z]{1,6}(\/[a-z]{1,6})?$/);
    const step = fc.record({ name, text: fc.string(), after: fc.constantFrom("leave", "stage", "commit") });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
        makeRepository(steps);
        const before = describeAll();
        await unpack(await snap());
        expect(describeAll()).toEqual(before);
      }),
      { numRuns: 12 },
    );
  });
});
