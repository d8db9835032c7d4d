import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import {
  addJobs,
  createEnded,
  createQueued,
  createRunning,
  createStarting,
  makeFolder,
  must,
  openIn,
  openTemporary,
  spawnWithStore,
  toId,
  upload,
} from "../../../../../tests/support/store.ts";
import { waitUntil } from "../../../../../tests/support/wait.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { Store } from "../../../core/store.ts";

const createSettableClock = (): Readonly<{ clock: () => number; set: (time: number) => void }> => {
  let now = 1000;
  const set = (time: number): void => {
    now = time;
  };
  return { clock: () => now, set };
};

const watchTables = (folder: string): Readonly<{ artifacts: () => number; chunks: () => number }> => {
  const db = new Database(join(folder, "jobs.db"), { readonly: true });
  onTestFinished(() => db.close());
  const count = (table: string): number =>
    db.query<{ rows: number }, []>(`select count(*) as rows from ${table}`).get()?.rows ?? 0;
  return { artifacts: () => count("artifacts"), chunks: () => count("artifact_chunks") };
};

const readAll = (store: Store, id: ArtifactId): Buffer => Buffer.concat([...store.artifacts.read(id)]);

const isThere = async (store: Store, id: ArtifactId): Promise<boolean> =>
  must(await store.write((transaction) => transaction.hasArtifact(id)));

const createBytes = (length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let position = 0; position < length; position++) bytes[position] = (position * 31 + (position >> 9)) & 0xff;
  return bytes;
};

const ROW = 512 * 1024;

test.each([1, ROW - 1, ROW, ROW + 1, 2 * ROW, 3 * ROW + 17])(
  "an artifact of %d bytes is read as sent",
  async (length) => {
    const store = openTemporary();
    const bytes = createBytes(length);
    const id = await upload(store, bytes);
    expect(readAll(store, id).equals(bytes)).toBe(true);
    expect(readAll(store, id).equals(bytes)).toBe(true);
  },
);

test("the pieces in which it comes don't matter, and may be used again by the sender", async () => {
  const store = openTemporary();
  const bytes = createBytes(ROW + 5000);
  const writer = store.artifacts.begin(null);
  const piece = Buffer.alloc(777);
  for (let start = 0; start < bytes.length; start += piece.length) {
    const length = bytes.copy(piece, 0, start);
    must(await writer.append(piece.subarray(0, length)));
    piece.fill(0);
  }
  expect(readAll(store, must(await writer.finish())).equals(bytes)).toBe(true);
});

test("uploads at the same time don't mix", async () => {
  const store = openTemporary();
  const ids = await Promise.all([1, 2, 3].map((fill) => upload(store, Buffer.alloc(ROW + fill, fill), `${fill}`)));
  for (const [index, id] of ids.entries()) {
    expect(readAll(store, id).equals(Buffer.alloc(ROW + index + 1, index + 1))).toBe(true);
  }
});

test("one that is being sent is not to be found, named or read", async () => {
  const store = openTemporary();
  const writer = store.artifacts.begin("abc123");
  must(await writer.append(createBytes(2 * ROW)));
  expect(await store.artifacts.findBySha("abc123")).toBeNull();
  const id = must(await writer.finish());
  expect(await store.artifacts.findBySha("abc123")).toBe(id);
  expect(await isThere(store, id)).toBe(true);
  expect(await store.artifacts.findBySha("abc124")).toBeNull();
  expect(await isThere(store, "none" as ArtifactId)).toBe(false);
  expect(() => readAll(store, "none" as ArtifactId)).toThrow("There is no artifact none");
});

test("one that is given up leaves nothing, whenever that is", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const tables = watchTables(folder);
  for (const rows of [0, 0.5, 1, 20]) {
    const writer = store.artifacts.begin("abc");
    must(await writer.append(createBytes(rows * ROW)));
    await writer.abort();
    await writer.abort();
    expect([tables.artifacts(), tables.chunks()]).toEqual([0, 0]);
  }
  expect(await store.artifacts.findBySha("abc")).toBeNull();
});

test("giving up one that is finished changes nothing", async () => {
  const store = openTemporary();
  const writer = store.artifacts.begin("abc");
  must(await writer.append(createBytes(10)));
  const id = must(await writer.finish());
  await writer.abort();
  expect(readAll(store, id).length).toBe(10);
});

test("the last artifact offered of a commit is the one that is found", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  await upload(store, createBytes(1), "abc");
  set(1001);
  const second = await upload(store, createBytes(2), "abc");
  expect(await store.artifacts.findBySha("abc")).toBe(second);
});

test("ids are as given", async () => {
  const store = openTemporary();
  expect(await upload(store, createBytes(1))).toMatch(/^[0-9a-f]{16}$/);
});

test("an unused artifact is kept for 10 minutes from its upload", async () => {
  const folder = makeFolder();
  const { clock, set } = createSettableClock();
  const store = openIn(folder, clock);
  const tables = watchTables(folder);
  const id = await upload(store, createBytes(20 * ROW));
  set(1600);
  expect(must(await store.artifacts.deleteUnused())).toBe(0);
  expect(await isThere(store, id)).toBe(true);
  set(1601);
  expect(must(await store.artifacts.deleteUnused())).toBe(1);
  expect(await isThere(store, id)).toBe(false);
  expect([tables.artifacts(), tables.chunks()]).toEqual([0, 0]);
  expect(must(await store.artifacts.deleteUnused())).toBe(0);
});

test("an artifact that a client was told of is kept for 10 minutes from then", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const id = await upload(store, createBytes(1), "abc");
  set(1599);
  expect(await store.artifacts.findBySha("abc")).toBe(id);
  set(2199);
  expect(must(await store.artifacts.deleteUnused())).toBe(0);
  set(2200);
  expect(must(await store.artifacts.deleteUnused())).toBe(1);
  expect(await store.artifacts.findBySha("abc")).toBeNull();
});

test("a queued or starting job keeps its artifact, a running or ended one does not", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const kept = [await upload(store, createBytes(1)), await upload(store, createBytes(2))] as const;
  const dropped = [await upload(store, createBytes(3)), await upload(store, createBytes(4))] as const;
  await addJobs(store, [
    createQueued("a", { artifactId: kept[0] }),
    createStarting("b", { artifactId: kept[1] }),
    createRunning("c", { artifactId: dropped[0] }),
    createEnded("d", { artifactId: dropped[1] }),
    createQueued("e", { artifactId: null }),
  ]);
  set(9999);
  expect(must(await store.artifacts.deleteUnused())).toBe(2);
  expect(await Promise.all([...kept, ...dropped].map((id) => isThere(store, id)))).toEqual([true, true, false, false]);
  must(await store.write((transaction) => transaction.deleteJob(toId("a"))));
  must(await store.write((transaction) => transaction.saveJob(createRunning("b", { artifactId: kept[1] }))));
  expect(must(await store.artifacts.deleteUnused())).toBe(2);
});

test("an artifact that a job takes while the unused are being deleted stays whole", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const bytes = createBytes(3 * ROW);
  const ids = [await upload(store, bytes, "a1"), await upload(store, bytes, "a2"), await upload(store, bytes, "a3")];
  set(9999);
  const placed = store.write((transaction) => {
    const taken = ids.filter((id) => transaction.hasArtifact(id));
    for (const id of taken) transaction.insertJob(createQueued(`j-${id}`, { artifactId: id }), {});
    return taken;
  });
  const deleted = await store.artifacts.deleteUnused();
  const taken = must(await placed);
  expect(taken.length).toBe(3);
  expect(must(deleted)).toBe(0);
  for (const id of taken) expect(readAll(store, id).equals(bytes)).toBe(true);
});

test("an artifact that is being deleted is not offered any more", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  await upload(store, createBytes(1), "abc");
  set(9999);
  const [deleted, found] = await Promise.all([store.artifacts.deleteUnused(), store.artifacts.findBySha("abc")]);
  expect([must(deleted), found]).toEqual([1, null]);
});

test("a large artifact is deleted a little at a time, and other writers go on", async () => {
  const folder = makeFolder();
  const { clock, set } = createSettableClock();
  const store = openIn(folder, clock);
  const { chunks } = watchTables(folder);
  await upload(store, createBytes(60 * ROW));
  set(9999);
  const deleted = store.artifacts.deleteUnused();
  const left = [chunks()];
  while (left.at(-1) !== 0) {
    must(await store.write((transaction) => transaction.setBlacklisted(1, true)));
    left.push(chunks());
  }
  const steps = left.slice(1).map((count, index) => (left[index] ?? 0) - count);
  expect(must(await deleted)).toBe(1);
  expect(Math.max(...steps)).toBeLessThanOrEqual(16);
}, 20_000);

test("the space of deleted artifacts is used again, and what is far too much is given back", async () => {
  const folder = makeFolder();
  const { clock, set } = createSettableClock();
  const store = openIn(folder, clock);
  const size = (): number => statSync(join(folder, "jobs.db")).size;
  for (let round = 1; round <= 3; round++) {
    await upload(store, createBytes(80 * ROW));
    set(clock() + 9999);
    expect(must(await store.artifacts.deleteUnused())).toBe(1);
  }
  const reader = new Database(join(folder, "jobs.db"));
  reader.query("pragma wal_checkpoint(truncate)").get();
  reader.close();
  expect(size()).toBeLessThan(24 * ROW);
}, 30_000);

test("what a crash left half-sent is removed at the next start, what was finished stays", async () => {
  const folder = makeFolder();
  const child = spawnWithStore(
    folder,
    `const done = store.artifacts.begin("d0e");
    must(await done.append(new Uint8Array(700000).fill(1)));
    const id = must(await done.finish());
    const half = store.artifacts.begin("a1f");
    for (let n = 0; n < 20; n++) must(await half.append(new Uint8Array(${ROW}).fill(2)));
    say(id);
    await new Promise((resolve) => setTimeout(resolve, 60_000));`,
  );
  const { value } = await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  const before = watchTables(folder);
  expect([before.artifacts(), before.chunks()]).toEqual([2, 22]);
  const store = openIn(folder);
  await waitUntil(() => before.artifacts() === 1);
  expect(before.chunks()).toBe(2);
  expect(await store.artifacts.findBySha("a1f")).toBeNull();
  expect(readAll(store, new TextDecoder().decode(value).trim() as ArtifactId).equals(Buffer.alloc(700_000, 1))).toBe(
    true,
  );
}, 20_000);

test("an upload that is under way is not taken for one that a crash left", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const writer = store.artifacts.begin(null);
  must(await writer.append(createBytes(2 * ROW)));
  set(9999);
  expect(must(await store.artifacts.deleteUnused())).toBe(0);
  must(await writer.append(createBytes(ROW)));
  expect(readAll(store, must(await writer.finish())).length).toBe(3 * ROW);
});

test("200 MiB pass through in a fraction of their memory, both ways", async () => {
  const child = spawnWithStore(
    makeFolder(),
    `import { createHash } from "node:crypto";
    const readPeak = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
    const send = async (mebibytes) => {
      const sent = createHash("sha256");
      const piece = new Uint8Array(65536);
      const writer = store.artifacts.begin(null);
      for (let n = 0; n < mebibytes * 16; n++) {
        piece.fill(n % 251);
        sent.update(piece);
        must(await writer.append(piece));
      }
      return [must(await writer.finish()), sent.digest("hex")];
    };
    const receive = (id) => {
      const received = createHash("sha256");
      for (const chunk of store.artifacts.read(id)) received.update(chunk);
      return received.digest("hex");
    };
    const [small] = await send(5);
    receive(small);
    const before = readPeak();
    const [id, sent] = await send(200);
    const isSame = receive(id) === sent;
    say(JSON.stringify({ isSame, grownKib: readPeak() - before }));
    await store.close();`,
  );
  const { isSame, grownKib } = JSON.parse(await new Response(child.stdout).text());
  expect(isSame).toBe(true);
  expect(grownKib).toBeLessThan(64 * 1024);
}, 30_000);

test("a digest of what is stored is that of what was sent, however it is cut", async () => {
  const store = openTemporary();
  const bytes = createBytes(1_500_000);
  const digest = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
  const id = await upload(store, bytes);
  expect(digest(readAll(store, id))).toBe(digest(bytes));
});
