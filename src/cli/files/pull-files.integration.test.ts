import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  createWireFile,
  type FilesServer,
  type Served,
  startFilesServer,
} from "../../../tests/support/files-server.ts";
import { stopChild } from "../../../tests/support/programs.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import type { Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import type { WireFile } from "../../wire/files.ts";
import { closeFolder, openTop } from "./held-folder.ts";
import { listParts } from "./part-file.ts";
import { type PullReport, pullFiles } from "./pull-files.ts";

const ID = "k3f9ab";

let folder: string;
let target: string;
let outside: string;
let server: FilesServer | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-pull-"));
  target = join(folder, "target");
  outside = join(folder, "outside");
  for (const path of [target, outside]) mkdirSync(path);
});

afterEach(async () => {
  await server?.close();
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

const serve = (text: string, tag = '"one"'): Served => ({ bytes: Buffer.from(text), tag });

const start = async (options: Parameters<typeof startFilesServer>[0]): Promise<void> => {
  await server?.close();
  server = await startFilesServer(options);
};

const tryPull = async (files: readonly WireFile[], isForced = false): Promise<Result<PullReport, Failure>> => {
  server ??= await startFilesServer({ find: (path) => serve(path) });
  const top = openTop(target);
  try {
    const facts = { id: ID, top, shown: "target", parts: listParts(top, files), isForced, onBytes: () => undefined };
    return await pullFiles({ ...facts, api: server.api }, files, () => undefined);
  } finally {
    closeFolder(top);
  }
};

const pull = async (files: readonly WireFile[], isForced = false): Promise<PullReport> => {
  const pulled = await tryPull(files, isForced);
  if (!pulled.ok) throw new Error(pulled.error.message);
  return pulled.value;
};

const describeText = (path: string, text = path): WireFile => createWireFile(path, { size: Buffer.byteLength(text) });

const read = (path: string): string => readFileSync(join(target, path), "utf8");

const write = (path: string, text: string): void => {
  mkdirSync(join(target, path, ".."), { recursive: true });
  writeFileSync(join(target, path), text);
};

const listTree = (path: string): readonly string[] => readdirSync(path, { recursive: true, encoding: "utf8" });

describe("what is fetched", () => {
  test("is as it was, with its time, links included, and nothing else is there", async () => {
    const link = createWireFile("latest", { type: "link", target: "runs/1/a" });
    const files = [describeText("runs/1/a"), describeText("runs/2/b"), createWireFile("empty"), link];
    await start({ find: (path) => serve(path === "empty" ? "" : path) });
    const { fetched, failed, differing } = await pull(files);
    expect([fetched, failed, differing]).toEqual([{ files: 4, bytes: 16 }, [], []]);
    expect(listTree(target).toSorted()).toEqual(
      ["empty", "latest", "runs", "runs/1", "runs/1/a", "runs/2", "runs/2/b"].toSorted(),
    );
    expect([read("runs/1/a"), read("runs/2/b"), readlinkSync(join(target, "latest"))]).toEqual([
      "runs/1/a",
      "runs/2/b",
      "runs/1/a",
    ]);
    expect(statSync(join(target, "runs/1/a")).mtimeMs).toBe(1_700_000_000_250);
  });

  test("is not fetched again", async () => {
    const files = [describeText("a"), createWireFile("l", { type: "link", target: "a" })];
    await pull(files);
    expect(await pull(files)).toMatchObject({ fetched: { files: 0 }, there: { files: 2 } });
    expect(server?.asked).toHaveLength(1);
  });

  test("is there already where the content is the same, whatever the time says", async () => {
    write("a", "a");
    expect(await pull([describeText("a")])).toMatchObject({ there: { files: 1 }, differing: [] });
  });

  test("may have any bytes in its name", async () => {
    await start({ find: () => serve("x") });
    const raw = Buffer.from("d\xff/\n\xfe", "latin1").toString("base64");
    await pull([createWireFile("?", { raw, size: 1 })]);
    expect(readFileSync(Buffer.from(`${target}/d\xff/\n\xfe`, "latin1"), "utf8")).toBe("x");
  }, 10_000);
});

describe("modes", () => {
  test.each([
    [0o755, 0o755],
    [0o640, 0o640],
    [0o777, 0o777],
    [0o6755, 0o755],
    [0o33, 0o433],
  ])("of %p are %p here", async (mode, expected) => {
    await pull([{ ...describeText("a"), mode }]);
    expect(statSync(join(target, "a")).mode & 0o7777).toBe(expected);
    expect(read("a")).toBe("a");
  });

  test("that the server does not say are the user's own", async () => {
    await pull([describeText("a")]);
    writeFileSync(join(target, "own"), "");
    expect(statSync(join(target, "a")).mode).toBe(statSync(join(target, "own")).mode);
  });
});

describe("holes", () => {
  const SIZE = 8 << 20;
  const BLOCK = 4096;
  const measure = (path: string): number => statSync(join(target, path)).blocks * 512;
  const island = fc.tuple(fc.nat(SIZE), fc.integer({ min: 1, max: 20_000 }));
  const cuts = fc.array(fc.integer({ min: 2, max: SIZE }), { maxLength: 4 });

  test("wherever they are, and wherever the connection breaks: byte for byte, and nearly nothing on the disk", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(island, { maxLength: 5 }), cuts, fc.nat(3 * BLOCK), async (islands, places, more) => {
        rmSync(target, { recursive: true, force: true });
        const bytes = Buffer.alloc(SIZE + more);
        for (const [at, length] of islands) bytes.fill("data", at, Math.min(at + length, SIZE));
        const left = [...places];
        await start({ find: () => ({ bytes, tag: '"one"' }), cutAfter: () => left.pop() ?? null });
        const file = createWireFile("a", { size: bytes.length, stored: BLOCK });
        expect(await pull([file])).toMatchObject({ fetched: { files: 1 }, failed: [] });
        expect(readFileSync(join(target, "a")).equals(bytes)).toBe(true);
        const [data, edges] = [20_000 * islands.length, (islands.length * 2 + places.length + 1) * BLOCK];
        expect(measure("a")).toBeLessThanOrEqual(data + edges);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test("of a part that an earlier call left come as the rest does", async () => {
    const bytes = Buffer.concat([Buffer.from("data"), Buffer.alloc(SIZE), Buffer.from("end")]);
    await start({ find: () => ({ bytes, tag: '"one"' }) });
    write(".nexus-part-ca978112ca1bbdca-Im9uZSI", "data");
    await pull([createWireFile("a", { size: bytes.length, stored: 2 * BLOCK })]);
    expect(server?.asked).toEqual(["bytes=3-"]);
    expect(readFileSync(join(target, "a")).equals(bytes)).toBe(true);
    expect(measure("a")).toBeLessThanOrEqual(2 * BLOCK);
  });

  test.each([undefined, SIZE])("are not made of zeros that take room on the server (%p)", async (stored) => {
    await start({ find: () => ({ bytes: Buffer.alloc(SIZE), tag: '"one"' }) });
    await pull([createWireFile("a", { size: SIZE, ...(stored === undefined ? {} : { stored }) })]);
    expect([statSync(join(target, "a")).size, measure("a")]).toEqual([SIZE, SIZE]);
  });
});

describe("what differs here", () => {
  test.each(["of another size", "b"])("(%s) stays, and the rest comes", async (text) => {
    write("a", text);
    const { differing, fetched } = await pull([describeText("a"), describeText("c")]);
    expect([differing, fetched.files, read("a"), read("c")]).toEqual([["a"], 1, text, "c"]);
    expect(listTree(target)).toHaveLength(2);
  });

  test("is overwritten where that is asked for", async () => {
    write("a", "b");
    symlinkSync("elsewhere", join(target, "l"));
    const files = [describeText("a"), createWireFile("l", { type: "link", target: "a" })];
    expect(await pull(files)).toMatchObject({ differing: ["a", "l"] });
    expect(await pull(files, true)).toMatchObject({ differing: [], fetched: { files: 2 } });
    expect([read("a"), readlinkSync(join(target, "l"))]).toEqual(["a", "a"]);
  });

  test("is never overwritten though it comes to be there while the file is fetched", async () => {
    await start({
      find: (path) => {
        write("a", "mine");
        return serve(path);
      },
    });
    expect(await pull([describeText("a")])).toMatchObject({ differing: ["a"], fetched: { files: 0 } });
    expect([read("a"), listTree(target)]).toEqual(["mine", ["a"]]);
  });

  test("is not what has the same content, though it comes to be there while the file is fetched", async () => {
    await start({
      find: (path) => {
        write("a", path);
        return serve(path);
      },
    });
    expect(await pull([describeText("a")])).toMatchObject({ there: { files: 1 }, differing: [] });
    expect(listTree(target)).toEqual(["a"]);
  });

  test("stays if it is a folder, even where overwriting is asked for", async () => {
    write("a/own", "mine");
    const link = createWireFile("a", { type: "link", target: "b" });
    for (const file of [describeText("a"), link])
      expect((await pull([file], true)).failed).toEqual([{ path: "a", why: "a folder is in its place here" }]);
    expect(read("a/own")).toBe("mine");
  });
});

describe("a broken connection", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 4 });
  const cuts = fc.array(fc.integer({ min: 2, max: 120_000 }), { maxLength: 6 });

  test("wherever it breaks, the files are byte for byte what they were", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, cuts, fc.infiniteStream(fc.nat(255)), async (lengths, places, chance) => {
        rmSync(target, { recursive: true, force: true });
        const contents = lengths.map((length) => Buffer.alloc(length, Buffer.from([...chance.take(251)])));
        const left = [...places];
        const find = (path: string): Served => ({ bytes: contents[Number(path)] ?? Buffer.of(), tag: `"${path}"` });
        await start({ find, cutAfter: () => left.pop() ?? null });
        const files = contents.map(({ length }, index) => createWireFile(String(index), { size: length }));
        expect(await pull(files)).toMatchObject({ fetched: { files: files.length }, failed: [] });
        for (const [index, content] of contents.entries())
          expect(readFileSync(join(target, String(index))).equals(content)).toBe(true);
        expect(listTree(target)).toHaveLength(files.length);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  test("of a file that is another meanwhile brings all of the other", async () => {
    const [before, after] = ["b".repeat(5000), "a".repeat(4000)];
    let answers = 0;
    await start({
      find: () => (answers === 0 ? serve(before, '"one"') : serve(after, '"two"')),
      cutAfter: () => (answers++ === 0 ? 1000 : null),
    });
    expect(await pull([describeText("a", before)])).toMatchObject({ fetched: { files: 1 } });
    expect(read("a")).toBe(after);
  });

  test("while what is here is compared goes on where it broke", async () => {
    const text = "x".repeat(9000);
    write("a", text);
    const places = [4000, 3000];
    await start({ find: () => serve(text), cutAfter: () => places.pop() ?? null });
    expect(await pull([describeText("a", text)])).toMatchObject({ there: { files: 1 } });
    expect(server?.asked).toHaveLength(3);
  });

  test("that was left by an earlier call is gone on with, if the file is still the same", async () => {
    const text = "x".repeat(900);
    const name = ".nexus-part-ca978112ca1bbdca-Im9uZSI";
    write(name, "x".repeat(500));
    await start({ find: () => serve(text) });
    await pull([describeText("a", text)]);
    expect([server?.asked, read("a"), listTree(target)]).toEqual([["bytes=499-"], text, ["a"]]);
    rmSync(join(target, "a"));
    write(name, "y".repeat(500));
    await start({ find: () => serve(text, '"two"') });
    await pull([describeText("a", text)]);
    expect([server?.asked, read("a"), listTree(target)]).toEqual([["bytes=499-", "bytes=0-"], text, ["a"]]);
  });

  test("is not gone on with through what is no file of one's own", async () => {
    const text = "x".repeat(900);
    const name = join(target, ".nexus-part-ca978112ca1bbdca-Im9uZSI");
    writeFileSync(join(outside, "b"), "mine");
    symlinkSync(join(outside, "b"), name);
    await start({ find: () => serve(text) });
    await pull([describeText("a", text)]);
    expect([read("a"), readFileSync(join(outside, "b"), "utf8")]).toEqual([text, "mine"]);
  });
});

describe("two at once in a folder that knows no locks", () => {
  const contents = ["a", "b"].map((letter) => Buffer.alloc(3_000_000, letter));
  const files = contents.map(({ length }, index) => createWireFile(String(index), { size: length }));
  const cuts = fc.array(fc.integer({ min: 2, max: 2_500_000 }), { maxLength: 6 });
  const line = "another nx pull writes to this folder, target: repeat this once it has ended";

  const expectFair = (pulled: Result<PullReport, Failure>): void =>
    expect(pulled.ok ? [pulled.value.differing, pulled.value.failed] : pulled.error).toEqual(
      pulled.ok ? [[], []] : { exitCode: 1, message: line },
    );

  const expectWhole = (index: number): void => {
    const isSame = readFileSync(join(target, String(index))).equals(contents[index] ?? Buffer.of());
    expect(isSame).toBe(true);
  };

  test("wherever connections break, each file is whole or absent, and who lost says so", async () => {
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (places, isForced) => {
        rmSync(target, { recursive: true, force: true });
        const left = [...places];
        const find = (path: string): Served => ({ bytes: contents[Number(path)] ?? Buffer.of(), tag: `"${path}"` });
        await start({ find, cutAfter: () => left.pop() ?? null });
        const both = await Promise.all([tryPull(files, isForced), tryPull(files, isForced)]);
        both.forEach(expectFair);
        const isDone = both.some(({ ok }) => ok);
        files.forEach(({ path }, index) => {
          if (isDone || existsSync(join(target, path))) expectWhole(index);
        });
      }),
      { numRuns: 15, seed: 31 },
    );
  }, 60_000);
});

describe("names and links are hostile", () => {
  test.each(["../x", "/x", "a/../../x", "..", "", "a//x", "x\0y"])(
    "%j is refused by name, and the rest comes",
    async (path) => {
      const { failed, fetched } = await pull([createWireFile(path, { size: 1 }), describeText("good")]);
      expect([failed.length, fetched.files]).toEqual([1, 1]);
      expect(listTree(folder).toSorted()).toEqual(["outside", "target", "target/good"]);
    },
  );

  test("a file whose name could be that of a part comes as any other, also beside the file that the part would be of", async () => {
    const names = [".nexus-part-ca978112ca1bbdca-Im9uZSI", ".nexus-part~1-x", ".nexus-part~2-d/x", "a"];
    for (const again of [false, true]) {
      const { failed, fetched, there } = await pull(names.map((name) => describeText(name)));
      expect([failed, again ? there.files : fetched.files]).toEqual([[], names.length]);
      for (const name of names) expect(read(name)).toBe(name);
      rmSync(join(target, "a"));
      await pull(names.map((name) => describeText(name)));
      expect(listTree(target).toSorted()).toEqual([...names, ".nexus-part~2-d"].toSorted());
    }
  });

  test("one that is listed again and again is fetched once", async () => {
    const { fetched, there } = await pull(Array.from({ length: 8 }, () => describeText("a")));
    expect([fetched.files, there.files, read("a"), server?.asked.length]).toEqual([1, 7, "a", 1]);
  });

  test("whatever is listed: nothing outside the folder is written", async () => {
    const part = fc.constantFrom("..", ".", "", "a", "b", "é", "a\0");
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const one = fc.record({ path, target: fc.option(fc.constantFrom("..", "../outside", "/etc", "a", "")) });
    await start({ find: () => serve("12") });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 8 }), fc.boolean(), async (listed, isForced) => {
        const files = listed.map((file) =>
          createWireFile(file.path, { size: 2, type: file.target === null ? "file" : "link", ...file }),
        );
        const { failed, fetched, there, differing } = await pull(files, isForced);
        expect(failed.length + fetched.files + there.files + differing.length).toBe(files.length);
        expect([readdirSync(folder).toSorted(), readdirSync(outside)]).toEqual([["outside", "target"], []]);
        rmSync(target, { recursive: true });
      }),
      { numRuns: 100 },
    );
  }, 30_000);

  test.each([false, true])("a link on the way is refused by name (overwriting: %p)", async (isForced) => {
    symlinkSync(outside, join(target, "runs"));
    const { failed } = await pull([describeText("runs/a"), describeText("runs/b/c")], isForced);
    const why = "runs is a link here, and nothing is written through it";
    expect(failed.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: "runs/a", why },
      { path: "runs/b/c", why },
    ]);
    expect(readdirSync(outside)).toEqual([]);
  });

  test("a link in the place of a file is refused by name, or replaced, and never written through", async () => {
    writeFileSync(join(outside, "x"), "mine");
    symlinkSync(join(outside, "x"), join(target, "a"));
    expect((await pull([describeText("a")])).failed).toMatchObject([{ path: "a" }]);
    expect(await pull([describeText("a")], true)).toMatchObject({ fetched: { files: 1 } });
    expect([lstatSync(join(target, "a")).isFile(), readFileSync(join(outside, "x"), "utf8")]).toEqual([true, "mine"]);
  });

  test("no file is written through a link that was listed before it", async () => {
    const link = createWireFile("d", { type: "link", target: outside });
    expect((await pull([link, describeText("d/x")])).failed).toEqual([
      { path: "d", why: "a folder is in its place here" },
    ]);
    expect([readdirSync(outside), read("d/x")]).toEqual([[], "d/x"]);
  });

  test("a link whose target is no UTF-8 leads where it did", async () => {
    const bytes = Buffer.from([0x6f, 0xff, 0x21]);
    const raw_target = bytes.toString("base64");
    const link = createWireFile("l", { type: "link", target: bytes.toString("utf8"), raw_target });
    for (const _ of ["made", "there"]) expect((await pull([link])).failed).toEqual([]);
    expect(readlinkSync(join(target, "l"), { encoding: "buffer" })).toEqual(bytes);
  });

  test("a link that would lead somewhere else than it did is not made", async () => {
    const link = createWireFile("l", { type: "link", target: "odd\ufffd" });
    expect((await pull([link])).failed).toEqual([{ path: "l", why: "where it leads can't be written" }]);
    expect(readdirSync(target)).toEqual([]);
  });

  const swap = `while :; do rm -rf "$1/d"; ln -s "$2" "$1/d" 2>/dev/null; rm -f "$1/d" 2>/dev/null; mkdir "$1/d" 2>/dev/null; done`;

  test("a folder that somebody makes a link of, again and again, lets nothing out", async () => {
    const swapper: ChildProcess = spawn("sh", ["-c", swap, "sh", target, outside], { stdio: "ignore" });
    try {
      await waitUntil(() => existsSync(join(target, "d")), "the folder is there");
      const files = Array.from({ length: 400 }, (_, index) => describeText(`d/${index}`));
      const { failed, fetched } = await pull(files);
      expect(failed.length + fetched.files).toBe(files.length);
    } finally {
      await stopChild(swapper, "SIGKILL");
    }
    expect(readdirSync(outside)).toEqual([]);
  }, 30_000);
});

test("a time that the file system rounds does not make a file another", async () => {
  await pull([describeText("a")]);
  utimesSync(join(target, "a"), 1_700_000_000, 1_700_000_000);
  expect(await pull([describeText("a")])).toMatchObject({ there: { files: 1 } });
});

test("a file that is gone meanwhile is told, and leaves nothing", async () => {
  await start({ find: () => null });
  expect((await pull([describeText("a")])).failed).toEqual([{ path: "a", why: "gone" }]);
  expect(readdirSync(target)).toEqual([]);
});
