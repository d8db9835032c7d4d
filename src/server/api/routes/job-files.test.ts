import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { createHarness, type Harness } from "../../../../tests/support/api.ts";
import type { OutputState, WireFiles } from "../../../wire/files.ts";
import type { WireJob } from "../../../wire/job.ts";
import { isEnded, type JobId } from "../../core/jobs/job.ts";

const ID = "a" as JobId;

type World = Harness & Readonly<{ write: (path: string, text?: string) => string }>;

const setState = async ({ store }: Harness, state: OutputState): Promise<void> => {
  const written = await store.write((transaction) => {
    const job = transaction.findJob(ID);
    if (job === null || !isEnded(job)) throw new Error("it has not ended");
    transaction.saveJob({ ...job, outputs: { ...job.outputs, state, files: 1 } });
  });
  if (!written.ok) throw new Error(written.error.message);
};

const createWorld = async (isRunning = false): Promise<World> => {
  const harness = createHarness();
  await harness.submit({ job_id: ID, user: "ann" });
  await harness.startJob(ID);
  if (!isRunning) await harness.endJob(ID);
  if (!isRunning) await setState(harness, "kept");
  const write = (path: string, text = path): string => {
    const whole = join(harness.serverDir, "jobs", ID, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    return whole;
  };
  return { ...harness, write };
};

const list = async ({ call }: Harness, query = ""): Promise<WireFiles> =>
  (await (await call("GET", `/v1/jobs/a/files${query}`)).json()) as WireFiles;

const listHeaders = ({ headers }: Response): Readonly<Record<string, string | null>> =>
  Object.fromEntries(
    ["content-type", "content-disposition", "x-content-type-options", "content-security-policy"].map((name) => [
      name,
      headers.get(name),
    ]),
  );

describe("the list of a job's files", () => {
  test("has them by path, with their size, time and kind, in pages", async () => {
    const world = await createWorld();
    for (const path of ["b/2", "b/1", "a"]) world.write(`outputs/${path}`, "1234");
    symlinkSync("../x", join(world.serverDir, "jobs/a/outputs/c"));
    const all = await list(world);
    expect(all).toMatchObject({ total_files: 4, total_bytes: 12 });
    expect(all.files.map(({ path, size, type, target, raw }) => [path, size, type, target, raw])).toEqual([
      ["a", 4, "file", null, null],
      ["b/1", 4, "file", null, null],
      ["b/2", 4, "file", null, null],
      ["c", 0, "link", "../x", null],
    ]);
    expect(all.files[0]?.mtime).toBeWithin(Date.now() / 1000 - 60, Date.now() / 1000 + 60);
    expect((await list(world, "?path=b/&limit=1&offset=1")).files.map(({ path }) => path)).toEqual(["b/2"]);
  });

  test("names in base64 what is no UTF-8, and that is fetched by its bytes", async () => {
    const world = await createWorld();
    world.write("outputs/x/y");
    writeFileSync(Buffer.from(`${world.serverDir}/jobs/a/outputs/x/\xff%2f`, "latin1"), "odd");
    const { files } = await list(world);
    expect(files.find(({ raw }) => raw !== null)).toMatchObject({ path: "x/\ufffd%2f", raw: btoa("x/\xff%2f") });
    expect(await (await world.call("GET", "/v1/jobs/a/files/x/%FF%252f")).text()).toBe("odd");
  });

  test("has in base64 where a link leads that is no UTF-8, and of no other", async () => {
    const world = await createWorld();
    world.write("outputs/file");
    symlinkSync("plain", join(world.serverDir, "jobs/a/outputs/link"));
    symlinkSync(Buffer.from("\xff/x", "latin1"), join(world.serverDir, "jobs/a/outputs/odd"));
    const { files } = await list(world);
    expect(files.map(({ target, raw_target }) => [target, raw_target])).toEqual([
      [null, null],
      ["plain", null],
      ["\ufffd/x", btoa("\xff/x")],
    ]);
  });

  test("has who may read, write and run a file, and what it takes on the disk", async () => {
    const world = await createWorld();
    chmodSync(world.write("outputs/a", "x".repeat(5000)), 0o4750);
    truncateSync(world.write("outputs/b"), 10_000_000);
    symlinkSync("a", join(world.serverDir, "jobs/a/outputs/c"));
    const [a, b, c] = (await list(world)).files;
    expect([a?.mode, (a?.stored ?? 0) >= (a?.size ?? 0)]).toEqual([0o750, true]);
    expect([b?.size, (b?.stored ?? Number.NaN) < 10_000]).toEqual([10_000_000, true]);
    expect([c?.mode, c?.stored]).toEqual([undefined, undefined]);
  });

  test("has names with line breaks, and those are fetched", async () => {
    const world = await createWorld();
    world.write("outputs/one\ntwo\u2028three", "odd");
    expect((await list(world)).files.map(({ path }) => path)).toEqual(["one\ntwo\u2028three"]);
    expect(await (await world.call("GET", "/v1/jobs/a/files/one%0Atwo%E2%80%A8three")).text()).toBe("odd");
  });

  test("of a job that runs has what it has written so far, of one that waits nothing", async () => {
    const world = await createWorld(true);
    world.write("repo/new", "12");
    world.write("outputs/own", "123");
    expect(await list(world)).toMatchObject({ total_files: 2, total_bytes: 5 });
    await world.submit({ job_id: "waits" });
    expect(await (await world.call("GET", "/v1/jobs/waits/files")).json()).toMatchObject({ files: [], total_files: 0 });
  });

  test.each(["?path=nothing", "?path=..", "?path=a/../b", "?path=a//b", "?path=a%00"])("%s is 404", async (query) => {
    const world = await createWorld();
    world.write("outputs/a/x");
    const response = await world.call("GET", `/v1/jobs/a/files${query}`);
    expect([response.status, await response.json()]).toMatchObject([404, { error: "NOT_FOUND" }]);
  });
});

describe("a file of a job", () => {
  test("comes byte for byte, as something to save and never to show", async () => {
    const world = await createWorld();
    const bytes = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => index % 251));
    writeFileSync(world.write("outputs/sub/näme <b>.html"), bytes);
    const response = await world.call("GET", `/v1/jobs/a/files/sub/${encodeURIComponent("näme <b>.html")}`);
    expect(listHeaders(response)).toEqual({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment; filename*=UTF-8''n%C3%A4me%20%3Cb%3E.html",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox",
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test("comes in parts, as long as it is the same", async () => {
    const world = await createWorld();
    const path = world.write("outputs/f", "0123456789");
    const get = (headers: Record<string, string>) => world.call("GET", "/v1/jobs/a/files/f", { headers });
    const whole = await get({});
    const etag = whole.headers.get("etag") ?? "";
    await whole.text();
    const part = await get({ range: "bytes=4-6", "if-range": etag });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 4-6/10", "456"]);
    const past = await get({ range: "bytes=10-" });
    expect([past.status, past.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    expect(await past.json()).toMatchObject({ error: "RANGE_NOT_SATISFIABLE" });
    appendFileSync(path, "x");
    const changed = await get({ range: "bytes=4-", "if-range": etag });
    expect([changed.status, await changed.text()]).toEqual([200, "0123456789x"]);
    expect([whole, part].map(({ headers }) => headers.get("content-length"))).toEqual(["10", "3"]);
    const head = await world.call("HEAD", "/v1/jobs/a/files/f");
    expect(head.headers.get("content-length")).toBe("11");
    expect([head.status, head.headers.get("accept-ranges"), await head.text()]).toEqual([200, "bytes", ""]);
  });

  describe("with holes", () => {
    const MIB = 1 << 20;
    const islands = fc.array(fc.nat(64), { maxLength: 6 });

    test("comes without the large ones where that is preferred, and the rest is zeros, wherever one begins", async () => {
      const world = await createWorld();
      const path = world.write("outputs/f");
      const get = (from: number, prefer = "skip-holes") =>
        world.call("GET", "/v1/jobs/a/files/f", { headers: { range: `bytes=${from}-`, prefer } });
      await fc.assert(
        fc.asyncProperty(islands, fc.nat(80 * MIB - 1), async (places, begin) => {
          writeFileSync(path, "");
          truncateSync(path, 80 * MIB);
          const fd = openSync(path, "r+");
          for (const place of places) writeSync(fd, "data".repeat(5000), place * MIB);
          closeSync(fd);
          const [whole, came] = [readFileSync(path), Buffer.alloc(80 * MIB)];
          let sent = 0;
          for (let at = begin; at < came.length; ) {
            const response = await get(at);
            const [, from, last] =
              /^bytes (\d+)-(\d+)\/83886080$/.exec(response.headers.get("content-range") ?? "") ?? [];
            expect([response.status, response.headers.get("preference-applied")]).toEqual([206, "skip-holes"]);
            const bytes = Buffer.from(await response.arrayBuffer());
            expect([Number(from) >= at, bytes.length]).toEqual([true, Number(last) + 1 - Number(from)]);
            bytes.copy(came, Number(from));
            sent += bytes.length;
            at = Number(last) + 1;
          }
          expect(came.subarray(begin).equals(whole.subarray(begin))).toBe(true);
          expect(sent).toBeLessThan((places.length + 1) * 5 * MIB);
        }),
        { numRuns: 25 },
      );
      const plain = await get(5, "other");
      expect([plain.headers.get("content-range"), plain.headers.get("preference-applied")]).toEqual([
        "bytes 5-83886079/83886080",
        null,
      ]);
      await plain.body?.cancel();
    }, 60_000);
  });

  test("of a job that runs comes up to the size that it had", async () => {
    const world = await createWorld(true);
    const path = world.write("repo/log", "first");
    const response = await world.call("GET", "/v1/jobs/a/files/log");
    appendFileSync(path, " second");
    expect(await response.text()).toBe("first");
  });

  test.each([
    ...[
      "",
      "..",
      "../output.log",
      "%2e%2e/output.log",
      "..%2foutput.log",
      "%2e%2e%2foutput.log",
      "sub/../../output.log",
    ],
    ...[
      "sub//x",
      "/etc/passwd",
      "%2fetc%2fpasswd",
      "sub/x%00",
      "sub",
      "sub/",
      "link",
      "away/passwd",
      "pipe",
      "nothing",
    ],
    ...["x".repeat(5000), "%", "%zz", "sub%5cx"],
  ])("at %p is 404", async (path) => {
    const world = await createWorld();
    world.write("output.log");
    world.write("outputs/sub/x");
    const outputs = join(world.serverDir, "jobs/a/outputs");
    symlinkSync("sub/x", join(outputs, "link"));
    symlinkSync("/etc", join(outputs, "away"));
    spawnSync("mkfifo", [join(outputs, "pipe")]);
    const response = await world.call("GET", `/v1/jobs/a/files/${path}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: "NOT_FOUND" });
  });

  test("leaves nothing open, however it is left", async () => {
    const world = await createWorld();
    writeFileSync(world.write("outputs/f"), Buffer.alloc(5_000_000));
    const count = (): number => readdirSync("/proc/self/fd").length;
    const before = count();
    for (let round = 0; round < 20; round += 1) {
      const [left, unread, part, tar] = await Promise.all([
        world.call("GET", "/v1/jobs/a/files/f"),
        world.call("GET", "/v1/jobs/a/files/f"),
        world.call("GET", "/v1/jobs/a/files/f", { headers: { range: "bytes=9000000-" } }),
        world.call("GET", "/v1/jobs/a/files.tar"),
      ]);
      const reader = left.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      await unread.body?.cancel();
      await part.text();
      const tarReader = tar.body?.getReader();
      await tarReader?.read();
      await tarReader?.cancel();
      await (await world.call("HEAD", "/v1/jobs/a/files/f")).text();
      await list(world);
    }
    expect(count()).toBeLessThanOrEqual(before + 1);
  });
});

describe("the tar of a job's files", () => {
  const unpack = async (world: World, query = ""): Promise<readonly string[]> => {
    const response = await world.call("GET", `/v1/jobs/a/files.tar${query}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
    const folder = join(world.serverDir, `unpacked${query.length}`);
    mkdirSync(folder);
    const { status } = spawnSync("tar", ["-x", "-C", folder], { input: Buffer.from(await response.arrayBuffer()) });
    expect(status).toBe(0);
    return spawnSync("find", [".", "-type", "f", "-printf", "%P %s\n", "-o", "-type", "l", "-printf", "%P -> %l\n"], {
      cwd: folder,
      encoding: "utf8",
    })
      .stdout.split("\n")
      .slice(0, -1)
      .toSorted();
  };

  test("has all, links as links and names of any length and bytes", async () => {
    const world = await createWorld();
    const long = `${"long/".repeat(30)}${"n".repeat(200)}`;
    world.write(`outputs/${long}`, "1");
    world.write("outputs/empty", "");
    world.write("outputs/block", "x".repeat(512));
    symlinkSync("/nowhere/".padEnd(150, "x"), join(world.serverDir, "jobs/a/outputs/link"));
    writeFileSync(Buffer.from(`${world.serverDir}/jobs/a/outputs/\xff`, "latin1"), "odd");
    expect(await unpack(world)).toEqual(
      ["block 512", "empty 0", `link -> ${"/nowhere/".padEnd(150, "x")}`, `${long} 1`, "\ufffd 3"].toSorted(),
    );
  });

  test("has what matches, where that is asked for", async () => {
    const world = await createWorld();
    for (const path of ["a.pt", "runs/1/b.pt", "runs/1/log"]) world.write(`outputs/${path}`, "1");
    expect(await unpack(world, "?glob=runs&glob=!**/log")).toEqual(["runs/1/b.pt 1"]);
    const response = await world.call("GET", "/v1/jobs/a/files.tar?glob=!x");
    expect([response.status, await response.json()]).toMatchObject([422, { error: "VALIDATION_ERROR" }]);
  });

  test("breaks off where a file is cut short meanwhile: it never ends as if it were whole", async () => {
    const world = await createWorld();
    const path = world.write("outputs/f");
    writeFileSync(path, Buffer.alloc(5_000_000));
    const response = await world.call("GET", "/v1/jobs/a/files.tar");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.read();
    writeFileSync(path, "");
    const readOn = async (): Promise<void> => {
      while (!(await reader?.read())?.done);
    };
    expect(readOn()).rejects.toThrow("cut short");
    await readOn().catch(() => undefined);
  });
});

describe("while the files of an ended job are moved", () => {
  const callUntilItWaits = async (
    { app }: World,
    end: string,
    signal?: AbortSignal,
  ): Promise<() => Promise<Response>> => {
    const waits = Promise.withResolvers<void>();
    const request = new Request(`http://localhost:54323/v1/jobs/a${end}`, {
      headers: { host: "localhost:54323" },
      ...(signal === undefined ? {} : { signal }),
    });
    const holdOpen = (isHeld: boolean): void => {
      if (isHeld) waits.resolve();
    };
    const answer = app.fetch(request, { address: "127.0.0.1", holdOpen });
    await waits.promise;
    return async () => answer;
  };

  test.each(["/files", "/files/f", "/files.tar"])("%s waits, and then has them", async (end) => {
    const world = await createWorld();
    await setState(world, "moving");
    const answer = await callUntilItWaits(world, end);
    world.write("outputs/f");
    await setState(world, "kept");
    expect((await answer()).status).toBe(200);
  });

  test("whoever has gone is not waited for", async () => {
    const world = await createWorld();
    await setState(world, "moving");
    const leaving = new AbortController();
    const answer = await callUntilItWaits(world, "/files", leaving.signal);
    leaving.abort();
    expect((await answer()).status).toBe(200);
    expect(world.store.findJob(ID)).toMatchObject({ outputs: { state: "moving" } });
  });

  test("a server that stops does not wait", async () => {
    const world = await createWorld();
    await setState(world, "moving");
    const answer = await callUntilItWaits(world, "/files");
    world.stop();
    expect((await answer()).status).toBe(503);
  });
});

describe("removing a job's files", () => {
  test("takes them away, and the job says who did that", async () => {
    const world = await createWorld();
    const path = world.write("outputs/f");
    const response = await world.call("DELETE", "/v1/jobs/a/files", { headers: { "x-nexus-user": "ann" } });
    expect(response.status).toBe(204);
    expect(existsSync(path)).toBe(false);
    const job = (await (await world.call("GET", "/v1/jobs/a")).json()) as WireJob;
    expect(job).toMatchObject({
      outputs: { state: "none", files: 0 },
      notes: [expect.stringContaining("removed by ann")],
    });
    expect((await world.call("DELETE", "/v1/jobs/a/files")).status).toBe(204);
  });

  test.each([true, false])("of one that has not ended is refused, running %p", async (isRunning) => {
    const world = await createWorld(true);
    const path = world.write("outputs/f");
    await world.submit({ job_id: "waits" });
    const response = await world.call("DELETE", `/v1/jobs/${isRunning ? "a" : "waits"}/files`);
    expect([response.status, await response.json()]).toMatchObject([400, { error: "INVALID_JOB_STATE" }]);
    expect(existsSync(path)).toBe(true);
  });
});

test("that all files were fetched is kept with the job", async () => {
  const world = await createWorld();
  expect((await world.call("PATCH", "/v1/jobs/a/files", { json: { pulled: true } })).status).toBe(204);
  expect(await (await world.call("GET", "/v1/jobs/a")).json()).toMatchObject({ outputs: { pulled: true } });
});

test.each(["/files", "/files/x", "/files.tar"])("%s of a job that is not there is 404", async (end) => {
  const { call } = createHarness();
  const response = await call("GET", `/v1/jobs/nobody${end}`);
  expect([response.status, await response.json()]).toMatchObject([404, { error: "JOB_NOT_FOUND" }]);
});
