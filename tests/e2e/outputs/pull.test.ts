import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import type { WireFiles } from "../../../src/wire/files.ts";
import type { ServerStatus } from "../../../src/wire/node.ts";
import { formatMinute } from "../../../src/wire/outputs-text.ts";
import { type CuttingProxy, startCuttingProxy } from "../../support/cutting-proxy.ts";
import { expireFiles } from "../../support/expire-files.ts";
import { type Finished, NX, runProgram, stopChild } from "../../support/programs.ts";
import { canMount, createSmallDisk } from "../../support/small-disk.ts";
import { canTrace, readTrace, trace } from "../../support/trace.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const MB = 1_000_000;

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const run = async (command: string, fields: Readonly<Record<string, unknown>> = {}): Promise<string> => {
  const { id } = await world.submit({ command, num_gpus: 0, ...fields });
  await world.waitFor(id);
  return id;
};

const pull = (...words: readonly string[]): Promise<Finished> => world.nx(["pull", ...words]);

const read = (id: string, path: string): string => readFileSync(join(world.home, "nexus-outputs", id, path), "utf8");

const hash = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

const measureParts = (folder: string): number => {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const sizes = names.map((name) =>
    name.startsWith(".nexus-part-") ? (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) : 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

const nameTarget = (port: number): void => {
  mkdirSync(join(world.home, ".nexus"), { recursive: true, mode: 0o700 });
  const target = `[targets.proxy]\nhost = "127.0.0.1"\nport = ${port}\nprotocol = "http"\n`;
  writeFileSync(join(world.home, ".nexus", "config.toml"), target, { mode: 0o600 });
};

describe("what a job made", () => {
  beforeEach(async () => {
    await world.startServer();
  });

  test("is told where nx run and nx wait end, listed, fetched and, once all is, known as fetched", async () => {
    const command =
      "mkdir runs; echo 1 > runs/a; echo 2 > b; ln -s runs/a last; mkdir __pycache__; echo 3 > __pycache__/c.pyc";
    const followed = await world.nx(["run", "-c", "--no-git", command]);
    const [, id = ""] = /nx pull (\S+)/.exec(followed.stderr) ?? [];
    const line = `3 files, 4 B are kept: nx pull ${id} (left out: 1 file, 2 B)\n`;
    expect([followed.exitCode, followed.stderr]).toEqual([0, expect.stringContaining(line)]);
    expect((await world.nx(["wait", id])).stderr).toBe(`Job ${id} completed with exit code 0\n${line}`);

    const listed = await world.nx(["files", id]);
    expect(listed.stdout.split("\n").map((row) => row.replace(/\d{4}-\S+ \S+/, "TIME"))).toEqual([
      "SIZE  TIME (UTC)        PATH",
      "2 B   TIME  b",
      "link  TIME  last -> runs/a",
      "2 B   TIME  runs/a",
      "3 files, 4 B in all",
      "",
    ]);

    const first = await pull(id, "runs");
    expect(first).toMatchObject({ exitCode: 0, stdout: `1 file, 2 B: fetched to nexus-outputs/${id}\n`, stderr: "" });
    expect((await world.job(id)).outputs.pulled).toBe(false);
    const all = await pull(id);
    expect(all.stdout).toBe(`2 files, 2 B: fetched to nexus-outputs/${id}; 1 file, 2 B: there already\n`);
    expect([read(id, "runs/a"), read(id, "b"), read(id, "last")]).toEqual(["1\n", "2\n", "1\n"]);
    expect((await world.job(id)).outputs.pulled).toBe(true);
    expect((await world.nx(["get", id])).stdout).toMatch(
      /^files {5}3 files, 4 B \(left out: 1 file, 2 B\), until .* UTC, fetched$/m,
    );
    expect((await pull(id)).stdout).toBe(`3 files, 4 B: there already in nexus-outputs/${id}\n`);
  });

  test("that differs here is named and stays, the rest comes, and -f overwrites it", async () => {
    const id = await run("echo 1 > a; echo 2 > b");
    mkdirSync(join(world.home, "out"));
    writeFileSync(join(world.home, "out", "a"), "mine");
    const kept = await pull(id, "-o", "out");
    expect(kept).toEqual({
      ...{ exitCode: 1, signal: null, stdout: "1 file, 2 B: fetched to out\n" },
      stderr: `a differs from what is here, which stays as it is\nnx: 1 file differs and was not fetched; to overwrite: nx pull -f ${id}\n`,
    });
    expect((await world.job(id)).outputs.pulled).toBe(false);
    expect(await pull(id, "a", "-o", "out")).toMatchObject({ exitCode: 1, stdout: "" });
    expect((await pull(id, "-f", "-o", "out")).exitCode).toBe(0);
    expect(readFileSync(join(world.home, "out", "a"), "utf8")).toBe("1\n");
  });

  test("comes by patterns, and one that fits nothing is told before anything is fetched", async () => {
    const id = await run("mkdir -p r/1 r/2; touch r/1/a.pt r/2/b.pt r/2/c.txt; echo 1 > '[x]'");
    expect((await pull(id, "**/*.pt", "[x]", "-q")).stdout).toBe(`nexus-outputs/${id}\n`);
    const found = readdirSync(join(world.home, "nexus-outputs", id), { recursive: true, encoding: "utf8" });
    expect(found.toSorted()).toEqual(["[x]", "r", "r/1", "r/1/a.pt", "r/2", "r/2/b.pt"]);
    const wrong = await pull(id, "*.npy", "-o", "never");
    expect([wrong.exitCode, wrong.stderr]).toEqual([5, `nx: job ${id} has no file *.npy; see nx files ${id}\n`]);
    expect(readdirSync(world.home)).not.toContain("never");
  });

  test("may have any name: it is shown harmlessly, and fetched byte for byte", async () => {
    const id = await run(`printf 1 > "$(printf 'a\\033[31m\\nb')"; printf 2 > "$(printf 'c\\377')"`);
    const shown = await world.nx(["files", id, "-q"]);
    expect(shown.stdout).toBe("a\\x1b[31m\\nb\nc\ufffd\n");
    const { files } = JSON.parse((await world.nx(["files", id, "--json"])).stdout) as WireFiles;
    expect(files.map(({ path, raw }) => [path, raw])).toEqual([
      ["a\u001b[31m\nb", null],
      ["c\ufffd", btoa("c\xff")],
    ]);
    expect(await pull(id)).toMatchObject({ exitCode: 0, stderr: "" });
    const names = readdirSync(join(world.home, "nexus-outputs", id), { encoding: "latin1" });
    expect(names.toSorted()).toEqual(["a\u001b[31m\nb", "c\xff"]);
  });

  test("comes with its modes, its holes and links to any bytes", async () => {
    const make = [
      "printf '#!/bin/sh\necho ran\n' > tool; chmod 750 tool; cp tool root; chmod 6755 root",
      "truncate -s 1G sparse; head -c 1000000 /dev/urandom | dd of=sparse bs=1000 seek=300000 conv=notrunc status=none",
      "ln -s \"$(printf 'to\\377')\" link",
    ];
    const id = await run(make.join("; "));
    expect(await pull(id)).toMatchObject({ exitCode: 0, stderr: "" });
    const here = (path: string): string => join(world.home, "nexus-outputs", id, path);
    expect(["tool", "root"].map((path) => statSync(here(path)).mode & 0o7777)).toEqual([0o750, 0o755]);
    expect(spawnSync(here("tool")).stdout.toString()).toBe("ran\n");
    expect(readlinkSync(here("link"), { encoding: "latin1" })).toBe("to\xff");
    const sparse = join((await world.job(id)).dir ?? "", "outputs", "sparse");
    expect(spawnSync("sh", ["-c", 'cmp "$1" "$2"', "sh", sparse, here("sparse")]).status).toBe(0);
    expect(statSync(here("sparse")).blocks * 512).toBeLessThan(2 * MB);
    expect((await pull(id)).stdout).toBe(`4 files, 1.1 GB: there already in nexus-outputs/${id}\n`);
  }, 60_000);

  test.skipIf(!canTrace)("is on the disk before it is in its place, and its name before nx pull ends", async () => {
    const id = await run("echo 1 > a");
    const calls = join(world.home, "calls");
    const [program = "", ...words] = trace(calls, ["fdatasync", "link", "linkat", "unlink", "unlinkat", "fsync"]);
    const pulled = await runProgram([program, ...words, NX, "pull", id], { env: world.env, cwd: world.home });
    expect(pulled.exitCode).toBe(0);
    const made = readTrace(calls).filter((call) => /nexus-part-|nexus-outputs\/\w+>/.test(call.words));
    expect(made.map(({ name }) => name.replace(/at$/, ""))).toEqual(["unlink", "fdatasync", "link", "unlink", "fsync"]);
  });

  test("so far is there while it runs, and where it lies is told", async () => {
    const { id } = await world.submit({ command: "echo 1 > a; echo 2 > $NEXUS_OUTPUT_DIR/b; sleep 300", num_gpus: 0 });
    await waitUntil(async () => (await world.nx(["files", "-q", id])).stdout === "a\nb\n", "both are listed");
    expect((await pull(id)).exitCode).toBe(0);
    expect([read(id, "a"), read(id, "b"), (await world.job(id)).outputs.pulled]).toEqual(["1\n", "2\n", false]);
    const { dir } = await world.job(id);
    expect((await world.nx(["files", "--path", id])).stdout).toBe(`${dir}/outputs\n${dir}/repo\n`);
    await world.nx(["kill", "-y", id]);
    await world.waitFor(id);
    expect((await world.nx(["files", "--path", id])).stdout).toBe(`${dir}/outputs\n`);
  });

  test("is a long list that is cut and says so", async () => {
    const id = await run("touch $(seq 100 160)");
    const cut = await world.nx(["files", id, "-q"]);
    expect([cut.stdout.split("\n").length, cut.stderr]).toEqual([
      26,
      `The first 25 are shown; more with: nx files ${id} --all\n`,
    ]);
    expect((await world.nx(["files", id, "-q", "--all"])).stdout.split("\n")).toHaveLength(62);
    expect((await world.nx(["files", id, "-n", "1"])).stdout).toEndWith("61 files, 0 B in all\n");
  });

  test("is what --outputs and --no-outputs say", async () => {
    const make = "mkdir r; touch r/a.pt r/b.txt r/c.pt";
    const some = await world.nx(["run", "-c", "--no-git", "--outputs", "**/*.pt", "--outputs", "!r/c.pt", make]);
    expect(some.stderr).toMatch(/^1 file, 0 B is kept: nx pull \w+ \(left out: 2 files, 0 B\)$/m);
    const none = await world.nx(["run", "-c", "--no-git", "--no-outputs", make]);
    const [line] = none.stderr.match(/^nothing is kept.*$/m) ?? [];
    expect(line).toBe("nothing is kept (left out: 3 files, 0 B)");
    const both = await world.nx(["add", "--no-git", "--outputs", "x", "--no-outputs", "true"]);
    expect([both.exitCode, both.stderr]).toEqual([2, "nx: give --outputs or --no-outputs, not both\n"]);
  });

  test("is told as left out, wherever it is told, where no pattern fits any of it", async () => {
    const followed = await world.nx(["run", "-c", "--no-git", "--outputs", "nomatch", "echo 1 > a; echo 2 > b"]);
    const line = "nothing is kept (left out: 2 files, 4 B)\n";
    expect([followed.exitCode, followed.stderr]).toEqual([0, expect.stringContaining(line)]);
    const [, id = ""] = /[Jj]ob (\w+)/.exec(followed.stderr) ?? [];
    const ended = `Job ${id} completed with exit code 0\n`;
    expect((await world.nx(["wait", id])).stderr).toBe(ended + line);
    expect((await world.nx(["logs", "-F", id])).stderr).toBe(line);
    expect(await world.nx(["logs", id])).toMatchObject({ exitCode: 0, stderr: line });
    expect((await world.nx(["logs", "--json", id])).stderr).toBe("");
    expect((await world.nx(["get", id])).stdout).toMatch(/^files {5}nothing is kept \(left out: 2 files, 4 B\)$/m);
    const none = `ob ${id} has no files (left out: 2 files, 4 B)`;
    expect((await pull(id)).stderr).toBe(`nx: j${none}\n`);
    expect((await world.nx(["files", id])).stderr).toBe(`J${none}.\n`);
  });

  test.each(["../x", "~/x", "/abs", "!x", "!"])("is not asked for by %j: nothing is sent then", async (glob) => {
    const refused = await world.nx(["add", "--no-git", "--outputs", glob, "true"]);
    expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([
      ...[2, ""],
      expect.stringMatching(/^nx: --outputs [^\n]*: The [^\n]*pattern [^\n]*\n$/),
    ]);
    expect((await world.nx(["history", "--json"])).stdout).toBe("[]\n");
  });

  test("with a name that was taken is told at the end of the log, and the log in a pipe stays as it is", async () => {
    const id = await run("echo 1 > a; echo 2 > $NEXUS_OUTPUT_DIR/a; echo done");
    await world.nx(["wait", id]);
    const lines = `a is kept as a~1: its name was taken\n2 files, 4 B are kept: nx pull ${id}\n`;
    const shown = await world.nx(["logs", id]);
    expect([shown.stdout, shown.stderr]).toEqual([expect.stringMatching(/done\n$/), lines]);
    expect((await world.nx(["logs", "-F", id])).stderr).toBe(lines);
    expect((await world.nx(["wait", id])).stderr).toEndWith(lines);
    expect((await world.nx(["logs", "-n", "1", "--json", id])).stderr).toBe("");
  });

  test("and what of it goes soon is told by nx to its owner, until it is fetched or gone", async () => {
    const ids = await Promise.all(["1", "2", "3", "4", "5"].map((text) => run(`echo ${text} > made`)));
    const until = Math.floor(Date.now() / 60_000) * 60 + 3600;
    for (const [index, id] of ids.entries()) await expireFiles(world, id, until + index);
    const others = await run("echo 1 > made", { user: "a-colleague" });
    await expireFiles(world, others, until);
    const line = (id: string): string => `Warning: 1 file, 2 B goes on ${formatMinute(until)}: nx pull ${id}\n`;
    const rest = (jobs: string): string => `Warning: files of ${jobs} go soon, named here once these are fetched\n`;
    const look = async (): Promise<string> => {
      const { stderr, exitCode } = await world.nx([]);
      expect(exitCode).toBe(0);
      return stderr.replace(/^Warning: the (GPUs|machine) .*\n/gm, "");
    };
    const [first = "", second = "", ...last] = ids;
    expect(await look()).toBe([first, second, ...last.slice(0, 1)].map(line).join("") + rest("2 more jobs"));
    expect((await pull(first)).exitCode).toBe(0);
    expect((await pull(second, "made", "-o", "part")).exitCode).toBe(0);
    expect((await fetch(`${world.url}/v1/jobs/${last[0]}/files`, { method: "DELETE" })).status).toBe(204);
    expect(await look()).toBe(last.slice(1).map(line).join(""));
    const { status } = JSON.parse((await world.nx(["--json"])).stdout) as { status: ServerStatus };
    expect(status.expiring_files).toMatchObject({ total_jobs: 2, jobs: last.slice(1).map((id) => ({ id })) });
  });

  test("that is nothing is told in one line", async () => {
    const id = await run("true");
    expect(await pull(id)).toMatchObject({ exitCode: 5, stderr: `nx: job ${id} has no files\n` });
    expect(await world.nx(["files", id])).toMatchObject({ exitCode: 0, stderr: `Job ${id} has no files.\n` });
    expect(await pull("nosuch")).toMatchObject({
      exitCode: 5,
      stderr: expect.stringMatching(/^nx: [^\n]*nosuch[^\n]*\n$/),
    });
    expect(await pull()).toMatchObject({ exitCode: 2 });
  });

  test("goes through no link: neither where it goes to by itself nor below a folder that is named", async () => {
    const id = await run("mkdir d; echo 1 > d/a");
    mkdirSync(join(world.home, "elsewhere"));
    symlinkSync("elsewhere", join(world.home, "nexus-outputs"));
    const refused = await pull(id);
    const line = "nx: nexus-outputs is a link here, and nothing is written through it: name another folder with -o\n";
    expect([refused.exitCode, refused.stderr]).toEqual([1, line]);
    mkdirSync(join(world.home, "out"));
    symlinkSync("../elsewhere", join(world.home, "out", "d"));
    expect((await pull(id, "-f", "-o", "out")).stderr).toContain("d/a was not fetched: d is a link here");
    expect(readdirSync(join(world.home, "elsewhere"))).toEqual([]);
    writeFileSync(join(world.home, "file"), "");
    const { exitCode, stderr } = await pull(id, "-o", "file");
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/^nx: file can't be written \(E\w+: [^\n]*\): name another folder with -o\n$/),
    ]);
  });

  test.skipIf(!canMount)(
    "that does not fit on the disk is told in one line, and comes once there is room",
    async () => {
      const id = await run(`head -c ${3 * MB} /dev/urandom > large`);
      const disk = createSmallDisk(4);
      try {
        writeFileSync(join(disk.path, "own"), Buffer.alloc(2 * MB));
        const full = await pull(id, "-o", disk.path);
        expect([full.exitCode, full.stderr]).toEqual([
          1,
          expect.stringMatching(/^nx: \S+ can't be written, as its disk is full: make room there [^\n]*\n$/),
        ]);
        writeFileSync(join(disk.path, "own"), "");
        expect((await pull(id, "-o", disk.path)).exitCode).toBe(0);
        const { dir } = await world.job(id);
        expect(hash(join(disk.path, "large"))).toBe(hash(join(dir ?? "", "outputs", "large")));
        disk.setReadOnly(true);
        expect((await pull(id, "-f", "-o", join(disk.path, "new"))).stderr).toMatch(
          /^nx: \S+ can't be written \(EROFS[^\n]*\n$/,
        );
      } finally {
        disk.dispose();
      }
    },
  );
});

describe("by a connection that breaks", () => {
  let proxy: CuttingProxy;

  const start = async (cutAfter: () => number | null): Promise<void> => {
    proxy = await startCuttingProxy(Number(new URL(world.url).port), cutAfter);
    nameTarget(proxy.port);
  };

  beforeEach(async () => {
    await world.startServer();
  });

  afterEach(() => proxy.close());

  test("again and again at random places, a file comes as it is, and hardly a byte of it twice", async () => {
    const id = await run(`head -c ${20 * MB} /dev/urandom > large`);
    const [places = []] = fc.sample(
      fc.array(fc.integer({ min: 100_000, max: 4 * MB }), { minLength: 20, maxLength: 20 }),
      { numRuns: 1, seed: 17 },
    );
    const left = [...places];
    await start(() => left.pop() ?? null);
    const pulled = await pull("-t", "proxy", id);
    expect(pulled).toMatchObject({ exitCode: 0, stderr: "" });
    const { dir } = await world.job(id);
    expect(hash(join(world.home, "nexus-outputs", id, "large"))).toBe(hash(join(dir ?? "", "outputs", "large")));
    expect(proxy.passed()).toBeLessThan(40 * MB);
  }, 60_000);

  test("a large hole is not sent, wherever connections break and however many parts there are", async () => {
    const parts = [0, 7, 40, 41, 300, 900].map(
      (mb) => `head -c 300000 /dev/urandom | dd of=sparse bs=1M seek=${mb} conv=notrunc status=none`,
    );
    const id = await run([...parts, "truncate -s 1G sparse; truncate -s 1G hole"].join("; "));
    const left = [100_000, 500_000, 250_000];
    await start(() => left.pop() ?? null);
    expect(await pull("-t", "proxy", id)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(proxy.passed()).toBeLessThan(20 * MB);
    const { dir } = await world.job(id);
    for (const name of ["sparse", "hole"]) {
      const [from, to] = [join(dir ?? "", "outputs", name), join(world.home, "nexus-outputs", id, name)];
      expect(spawnSync("sh", ["-c", 'cmp "$1" "$2"', "sh", from, to]).status).toBe(0);
      expect(statSync(to).blocks * 512).toBeLessThan(3 * MB);
    }
  }, 60_000);

  test.each(["SIGKILL", "SIGINT"] as const)(
    "nx pull that ended by %s is gone on with where it stopped",
    async (signal) => {
      const id = await run(`head -c ${8 * MB} /dev/urandom > large`);
      const folder = join(world.home, "nexus-outputs", id);
      await start(() => 5 * MB);
      const first = spawn(NX, ["pull", "-t", "proxy", id], { env: world.env, cwd: world.home, stdio: "ignore" });
      try {
        await waitUntil(() => measureParts(folder) > 2 * MB, "some of it is there");
      } finally {
        await stopChild(first, signal);
        await proxy.close();
      }
      expect(first.exitCode).toBe(signal === "SIGINT" ? 130 : null);
      const had = Math.min(measureParts(folder), 8 * MB);
      await start(() => null);
      const second = await pull("-t", "proxy", id);
      expect(second).toMatchObject({ exitCode: 0, stderr: "" });
      const { dir } = await world.job(id);
      expect(hash(join(folder, "large"))).toBe(hash(join(dir ?? "", "outputs", "large")));
      expect(proxy.passed()).toBeLessThan(8 * MB - had + 100_000);
      expect(readdirSync(folder)).toEqual(["large"]);
    },
    60_000,
  );

  const startPull = (id: string): ChildProcess =>
    spawn(NX, ["pull", "-t", "proxy", id], { env: world.env, cwd: world.home, stdio: "ignore" });

  test("a second nx pull to the folder of one that runs is refused, and the first brings all", async () => {
    const id = await run(`head -c ${20 * MB} /dev/urandom > large`);
    await world.nx(["wait", id]);
    const { dir } = await world.job(id);
    const folder = join(world.home, "nexus-outputs", id);
    let isSlow = true;
    await start(() => (isSlow ? 10_000 : null));
    const first = startPull(id);
    try {
      await waitUntil(() => existsSync(folder) && readdirSync(folder).length > 0, "the first has begun");
      expect(await pull(id)).toEqual({
        ...{ exitCode: 1, signal: null, stdout: "" },
        stderr: `nx: another nx pull writes to this folder, nexus-outputs/${id}: wait until it has ended, or name another folder with -o\n`,
      });
      isSlow = false;
      await waitUntil(() => first.exitCode !== null, "the first has ended");
    } finally {
      await stopChild(first, "SIGKILL");
    }
    expect([first.exitCode, readdirSync(folder)]).toEqual([0, ["large"]]);
    expect(hash(join(folder, "large"))).toBe(hash(join(dir ?? "", "outputs", "large")));
  }, 60_000);

  test("of two at once, one killed at any moment: the file is whole or absent, and comes in the end", async () => {
    const id = await run(`head -c ${8 * MB} /dev/urandom > large`);
    await world.nx(["wait", id]);
    const { dir } = await world.job(id);
    const whole = hash(join(dir ?? "", "outputs", "large"));
    const folder = join(world.home, "nexus-outputs", id);
    const place = join(folder, "large");
    const [moments = []] = fc.sample(fc.array(fc.integer({ max: 8 * MB, min: 0 }), { minLength: 6, maxLength: 6 }), {
      ...{ numRuns: 1, seed: 23 },
    });
    await start(() => 300_000);
    for (const moment of moments) {
      rmSync(folder, { recursive: true, force: true });
      const [one, other] = [startPull(id), startPull(id)];
      try {
        await waitUntil(() => existsSync(place) || measureParts(folder) >= moment, "that much is there");
        await stopChild(one, "SIGKILL");
        await waitUntil(() => other.exitCode !== null, "the other has ended");
      } finally {
        await stopChild(one, "SIGKILL");
        await stopChild(other, "SIGKILL");
      }
      const isThere = existsSync(place);
      expect(isThere ? hash(place) : whole).toBe(whole);
      if (other.exitCode === 0) expect(isThere).toBe(true);
      expect((await pull("-t", "proxy", id)).exitCode).toBe(0);
      expect([hash(place), readdirSync(folder)]).toEqual([whole, ["large"]]);
    }
  }, 120_000);
});

describe("with a server that is too old to keep what jobs make", () => {
  const job = {
    ...{
      id: "old-1",
      command: "true",
      user: "ada",
      status: "completed",
      exit_code: 0,
      error_message: null,
      priority: 0,
    },
    ...{ created_at: 1, started_at: 1, completed_at: 1, num_gpus: 0, gpu_idxs: [], env: {}, dir: "/x" },
    ...{ git_repo_url: null, git_branch: null, git_tag: null, wandb_url: null },
  };

  test("nx files and nx pull say so in one line, and nx get says what it always did", async () => {
    const server = createServer(({ url = "" }, response) =>
      response.end(JSON.stringify(url.endsWith("/old-1") ? job : [])),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      nameTarget((server.address() as AddressInfo).port);
      for (const verb of ["files", "pull"])
        expect(await world.nx([verb, "-t", "proxy", "old-1"])).toMatchObject({
          exitCode: 1,
          stderr: 'nx: the server "proxy" is too old to keep what jobs make: upgrade it\n',
        });
      const asked = await world.nx(["get", "-t", "proxy", "old-1"]);
      expect(asked).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.not.stringContaining("files") });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
