import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { AUTHOR, openBench } from "../../../tests/support/git-bench.ts";
import { openTemporary, upload } from "../../../tests/support/store.ts";
import { createTar, type TarMember } from "../../../tests/support/tar-archive.ts";
import { phraseFailure } from "../../command-line/usage.ts";
import { unpackCode } from "./fetch-code.ts";
import { createKeptFolder } from "./kept-folder.ts";
import { placeTree } from "./place-tree.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-code-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const toStream = (chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const iterator = chunks[Symbol.iterator]();
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const { done, value } = iterator.next();
    if (done) controller.close();
    else controller.enqueue(value);
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
};

const fetchInto = async (chunks: Iterable<Uint8Array>, target: string, isForced = false) => {
  const stage = createKeptFolder(join(folder, ".stage-"));
  try {
    const unpacked = await unpackCode(toStream(chunks), stage);
    return unpacked.ok ? placeTree(unpacked.value, target, isForced) : unpacked;
  } finally {
    stage.dispose();
  }
};

const nameTree = (top: string): string => {
  const git = (...words: readonly string[]): string =>
    execFileSync("git", [`--git-dir=${folder}/judge`, `--work-tree=${top}`, ...words], {
      cwd: top,
      encoding: "utf8",
      env: { ...process.env, ...AUTHOR },
    }).trim();
  execFileSync("git", ["init", "--quiet", "--bare", join(folder, "judge")]);
  writeFileSync(join(folder, "judge", "info", "attributes"), "* -text -filter -ident -working-tree-encoding\n");
  git("add", "--all", "--force", "--", ".");
  const tree = git("write-tree");
  rmSync(join(folder, "judge"), { recursive: true });
  return tree;
};

type Leaf = Readonly<{ kind: "file" | "program" | "link"; bytes: Uint8Array }>;
type Named = Readonly<{ parts: readonly Uint8Array[]; leaf: Leaf }>;

const isName = (bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes).toString("latin1");
  return !/[\0/]/.test(text) && !/^(?:\.{1,2}|\.git.*)$/i.test(text);
};

const anyName = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc
      .constantFrom("-rf", "a b", "*", "two\nlines", "\\", "ü🙂", "x".repeat(120), " ", "~", "a")
      .map((text) => Buffer.from(text)),
  )
  .filter(isName);
const anyTarget = fc.constantFrom("..", "/etc/passwd", "a", "nowhere/at all", "\n").map((text) => Buffer.from(text));
const anyLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({ kind: fc.constantFrom("file", "program"), bytes: fc.uint8Array({ maxLength: 3000 }) }),
  fc.record({ kind: fc.constant("link"), bytes: anyTarget }),
);
const anyTree = fc.array(fc.record({ parts: fc.array(anyName, { minLength: 1, maxLength: 4 }), leaf: anyLeaf }), {
  minLength: 1,
  maxLength: 12,
});

const growTree = (top: string, tree: readonly Named[]): void => {
  for (const { parts, leaf } of tree) {
    const path = Buffer.concat([top, ...parts].flatMap((part) => [Buffer.from("/"), Buffer.from(part)]).slice(1));
    const parent = path.subarray(0, path.lastIndexOf("/"));
    try {
      mkdirSync(parent, { recursive: true });
      if (leaf.kind === "link") symlinkSync(Buffer.from(leaf.bytes), path);
      else writeFileSync(path, leaf.bytes, { flag: "wx", mode: leaf.kind === "program" ? 0o755 : 0o644 });
    } catch {}
  }
};

test("whatever files were sent come back byte for byte, also where some are there already", async () => {
  const holds = async (tree: readonly Named[]): Promise<void> => {
    const bench = openBench(folder);
    growTree(bench.repository, tree);
    expect(readdirSync(bench.repository).length).toBeGreaterThan(1);
    const snapshot = await bench.snap();
    const tar = join(folder, "sent.tar");
    const written = await snapshot.writeTar(tar);
    snapshot.dispose();
    expect(written.ok).toBe(true);
    const store = openTemporary();
    const id = await upload(store, readFileSync(tar));
    const target = join(folder, "came back");
    expect(await fetchInto(store.artifacts.read(id), target)).toEqual({ ok: true, value: undefined });
    expect(nameTree(target)).toBe(snapshot.treeSha);
    const [first] = readdirSync(target, { encoding: "buffer" });
    rmSync(Buffer.concat([Buffer.from(`${target}/`), first ?? Buffer.from("none")]), { recursive: true, force: true });
    expect(await fetchInto(store.artifacts.read(id), target)).toEqual({ ok: true, value: undefined });
    expect(nameTree(target)).toBe(snapshot.treeSha);
    await store.close();
    for (const path of [bench.repository, target, tar]) rmSync(path, { recursive: true });
  };
  await fc.assert(fc.asyncProperty(anyTree, holds), { numRuns: 25 });
}, 120_000);

const pack = (...members: readonly TarMember[]): readonly Uint8Array[] => [createTar(members)];

describe("where something else is there already", () => {
  test("a file that differs stays, and nothing at all is written, unless it is forced", async () => {
    const target = join(folder, "target");
    mkdirSync(target);
    for (const name of ["mine", "same", "mode"]) writeFileSync(join(target, name), name);
    const code = pack({ name: "mine", body: "other" }, { name: "same", body: "same" }, { name: "new", body: "new" });
    const refused = await fetchInto(code, target);
    expect(refused.ok ? "" : phraseFailure(refused.error)).toBe(
      `nothing was written: there is something else already at ${target}/mine; give another folder with -o, or overwrite with -f`,
    );
    expect(readdirSync(target).toSorted()).toEqual(["mine", "mode", "same"]);
    expect((await fetchInto(code, target, true)).ok).toBe(true);
    expect(["mine", "same", "new"].map((name) => readFileSync(join(target, name), "utf8"))).toEqual([
      "other",
      "same",
      "new",
    ]);
    expect(readFileSync(join(target, "mode"), "utf8")).toBe("mode");
    chmodSync(join(target, "same"), 0o755);
    expect((await fetchInto(code, target)).ok).toBe(false);
  });

  test("a link is never written through, and forced it is replaced", async () => {
    const [target, outside] = [join(folder, "target"), join(folder, "outside")];
    for (const path of [target, outside]) mkdirSync(path);
    writeFileSync(join(outside, "file"), "mine");
    symlinkSync("../outside", join(target, "folder"));
    symlinkSync("../outside/file", join(target, "link"));
    symlinkSync("../outside/new", join(target, "dangling"));
    const code = pack(
      { name: "folder/", type: "5", mode: 0o755 },
      { name: "folder/file", body: "theirs" },
      { name: "link", body: "mine" },
      { name: "dangling", body: "theirs" },
    );
    expect((await fetchInto(code, target)).ok).toBe(false);
    expect((await fetchInto(code, target, true)).ok).toBe(true);
    expect([readdirSync(outside), readFileSync(join(outside, "file"), "utf8")]).toEqual([["file"], "mine"]);
    expect(readFileSync(join(target, "folder", "file"), "utf8")).toBe("theirs");
    expect(["folder", "link", "dangling"].map((name) => lstatSync(join(target, name)).isSymbolicLink())).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("a folder is never removed for a file", async () => {
    const target = join(folder, "target");
    mkdirSync(join(target, "data"), { recursive: true });
    expect((await fetchInto(pack({ name: "data", body: "x" }), target, true)).ok).toBe(false);
    expect(readdirSync(target)).toEqual(["data"]);
  });
});

test("hostile code stays in its folder and is only files, links and folders", async () => {
  const code = pack(
    { name: "../out", body: "x" },
    { name: "/out", body: "x" },
    { name: "away", type: "2", link: ".." },
    { name: "away/through", body: "x" },
    { name: "pipe", type: "6" },
    { name: "suid", mode: 0o6755, body: "x" },
  );
  const target = join(folder, "a", "target");
  mkdirSync(join(folder, "a"));
  await fetchInto(code, target);
  expect(readdirSync(folder).toSorted()).toEqual(["a"]);
  expect(readdirSync(join(folder, "a")).filter((name) => name !== "target")).toEqual([]);
  expect(existsSync("/out")).toBe(false);
});

test("a link out of the code comes back as the link that it was", async () => {
  const target = join(folder, "target");
  const code = pack(
    { name: "out", type: "2", link: "/etc/hostname" },
    { name: "suid", mode: 0o6755, body: "x" },
    { name: "pipe", type: "6" },
  );
  expect((await fetchInto(code, target)).ok).toBe(true);
  expect([
    readlinkSync(join(target, "out")),
    lstatSync(join(target, "suid")).mode & 0o7777,
    readdirSync(target).toSorted(),
  ]).toEqual(["/etc/hostname", 0o755, ["out", "suid"]]);
});

test("code that does not arrive whole leaves nothing", async () => {
  const [whole = new Uint8Array()] = pack({ name: "a", body: "a".repeat(5000) });
  const broken = function* (): Generator<Uint8Array> {
    yield whole.subarray(0, 1000);
    throw new Error("the connection broke");
  };
  expect(await fetchInto(broken(), join(folder, "target"))).toMatchObject({ ok: false, error: { exitCode: 3 } });
  expect(await fetchInto([whole.subarray(0, 1000)], join(folder, "target"))).toMatchObject({
    ok: false,
    error: { exitCode: 1 },
  });
  expect(readdirSync(folder)).toEqual([]);
});
