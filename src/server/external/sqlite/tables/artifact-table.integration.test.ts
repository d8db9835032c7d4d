import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
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
import type { ArtifactRetention, Store } from "../../../core/store.ts";

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

const ROLES = ["artifactId", "inputId"] as const;
const ROW = 512 * 1024;
const NOTHING_KEPT: ArtifactRetention = { expiry: Number.POSITIVE_INFINITY, maxBytes: 0 };
const ALL_KEPT: ArtifactRetention = { expiry: 0, maxBytes: Number.POSITIVE_INFINITY };

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
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(0);
  expect(await isThere(store, id)).toBe(true);
  set(1601);
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(1);
  expect(await isThere(store, id)).toBe(false);
  expect([tables.artifacts(), tables.chunks()]).toEqual([0, 0]);
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(0);
});

test("an artifact that a client was told of is kept for 10 minutes from then", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const id = await upload(store, createBytes(1), "abc");
  set(1599);
  expect(await store.artifacts.findBySha("abc")).toBe(id);
  set(2199);
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(0);
  set(2200);
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(1);
  expect(await store.artifacts.findBySha("abc")).toBeNull();
});

test.each(ROLES)(
  "a waiting or running job keeps its artifact, an ended one as long as code is kept (%s)",
  async (role) => {
    const { clock, set } = createSettableClock();
    const store = openTemporary(clock);
    const ids: ArtifactId[] = [];
    for (let size = 1; size <= 4; size += 1) ids.push(await upload(store, createBytes(size)));
    const [a, b, c, d] = ids as [ArtifactId, ArtifactId, ArtifactId, ArtifactId];
    await addJobs(store, [
      createQueued("a", { [role]: a }),
      createStarting("b", { [role]: b }),
      createRunning("c", { [role]: c }),
      createEnded("d", { [role]: d, completedAt: 5000 }),
      createQueued("e"),
    ]);
    const areThere = () => Promise.all(ids.map((id) => isThere(store, id)));
    set(9999);
    for (const expiry of [4999, 5000]) must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry }));
    expect(await areThere()).toEqual([true, true, true, true]);
    expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 5001 }))).toBe(1);
    expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(0);
    expect(await areThere()).toEqual([true, true, true, false]);
    must(await store.write((transaction) => transaction.deleteJob(toId("a"))));
    must(await store.write(({ saveJob }) => saveJob(createEnded("b", { [role]: b, completedAt: 6000 }))));
    expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 6000 }))).toBe(1);
    expect(await areThere()).toEqual([false, true, true, false]);
  },
);

test.each(ROLES)(
  "the last end counts of several jobs, and that nobody was given it within 10 minutes (%s)",
  async (role) => {
    const { clock, set } = createSettableClock();
    const store = openTemporary(clock);
    const id = await upload(store, createBytes(1), "abc");
    await addJobs(
      store,
      [8000, 5000, 3000].map((completedAt) => createEnded(`j${completedAt}`, { [role]: id, completedAt })),
    );
    set(9000);
    expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 8000 }))).toBe(0);
    expect(await store.artifacts.open(id)).toMatchObject({ bytes: 1 });
    set(9600);
    expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 8001 }))).toBe(0);
    set(9601);
    expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 8001 }))).toBe(1);
    expect(await store.artifacts.open(id)).toBeNull();
  },
);

test("beyond the bound what was longest unused goes, and neither what is needed nor what was just given to someone", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const send = (): Promise<ArtifactId> => upload(store, randomBytes(1000));
  const ids = {
    first: await send(),
    opened: await send(),
    second: await send(),
    last: await send(),
    needed: await send(),
  };
  await addJobs(store, [
    createEnded("a", { artifactId: ids.second, completedAt: 3000 }),
    createEnded("b", { artifactId: ids.first, completedAt: 2000 }),
    createEnded("c", { artifactId: ids.last, completedAt: 4000 }),
    createEnded("d", { artifactId: ids.needed, completedAt: 1000 }),
    createRunning("e", { artifactId: ids.needed }),
    createEnded("f", { artifactId: ids.opened, completedAt: 2500 }),
  ]);
  const list = async (): Promise<readonly string[]> => {
    const there = await Promise.all(
      Object.entries(ids).map(async ([name, id]) => ((await isThere(store, id)) ? name : "")),
    );
    return there.filter((name) => name !== "");
  };
  set(9999);
  const { bytes } = store.artifacts.measure();
  must(await store.artifacts.deleteUnused({ expiry: 0, maxBytes: (bytes * 4) / 5 }));
  expect(await list()).toEqual(Object.keys(ids));
  await store.artifacts.open(ids.opened);
  must(await store.artifacts.deleteUnused({ expiry: 0, maxBytes: (bytes * 4) / 5 - 1 }));
  expect(await list()).toEqual(["opened", "second", "last", "needed"]);
  must(await store.artifacts.deleteUnused({ expiry: 0, maxBytes: (bytes * 2) / 5 }));
  expect(await list()).toEqual(["opened", "last", "needed"]);
  must(await store.artifacts.deleteUnused({ expiry: 0, maxBytes: 0 }));
  expect(await list()).toEqual(["opened", "needed"]);
});

test("what goes for its age makes room for what is left", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const [old, young] = [await upload(store, randomBytes(1000)), await upload(store, randomBytes(1000))];
  await addJobs(store, [
    createEnded("a", { artifactId: old, completedAt: 2000 }),
    createEnded("b", { artifactId: young, completedAt: 3000 }),
  ]);
  set(9999);
  const { bytes } = store.artifacts.measure();
  expect(must(await store.artifacts.deleteUnused({ expiry: 2500, maxBytes: bytes / 2 }))).toBe(1);
  expect([await isThere(store, old), await isThere(store, young)]).toEqual([false, true]);
});

test("an artifact is found by its tree only for who sent it", async () => {
  const store = openTemporary();
  const send = async (owner: string): Promise<string> => {
    const writer = store.artifacts.begin("abc", { owner, maxBytes: ROW });
    must(await writer.append(createBytes(10)));
    return must(await writer.finish());
  };
  const [ann, bob] = [await send("user ann"), await send("user bob")];
  const found = await Promise.all(
    ["user ann", "user bob", "user eve"].map((owner) => store.artifacts.findBySha("abc", owner)),
  );
  expect(found as readonly (string | null)[]).toEqual([ann, bob, null]);
});

test("code takes a fraction of its size on the disk, and a damaged byte of it is noticed", async () => {
  const folder = makeFolder();
  const store = openIn(folder);
  const text = Buffer.from(
    Array.from({ length: 60_000 }, (_, line) => `const value${line} = compute(${line});\n`).join(""),
  );
  const id = await upload(store, text);
  expect(store.artifacts.measure().bytes).toBeLessThan(text.length / 4);
  expect(readAll(store, id).equals(text)).toBe(true);
  const db = new Database(join(folder, "jobs.db"));
  const { data } = db.query("select data from artifact_chunks where position = 1").get() as { data: Uint8Array };
  data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ 1;
  db.query("update artifact_chunks set data = ? where position = 1").run(data);
  db.close();
  expect(() => readAll(store, id)).toThrow();
});

type Move = Readonly<{
  kind: "send" | "name" | "start" | "run" | "end" | "remove" | "open" | "clean" | "wait";
  pick: number;
  time: number;
}>;

const NEXT = { start: createStarting, run: createRunning } as const;

test("no artifact that a waiting or running job needs is removed, whatever the sizes, the ends and the clock", async () => {
  const move: fc.Arbitrary<Move> = fc.record({
    kind: fc.constantFrom("send", "name", "name", "start", "run", "end", "remove", "open", "clean", "clean", "wait"),
    pick: fc.nat(5),
    time: fc.integer({ min: -5000, max: 20_000 }),
  });
  const holds = async (moves: readonly Move[]): Promise<void> => {
    const { clock, set } = createSettableClock();
    const store = openTemporary(clock);
    const sent: ArtifactId[] = [];
    const needing = new Map<string, ArtifactId>();
    const nameBy = (job: string, id: ArtifactId): Readonly<Partial<Record<(typeof ROLES)[number], ArtifactId>>> =>
      Number(job.slice(1)) % 2 === 0 ? { artifactId: id } : { inputId: id };
    const pickJob = (pick: number): readonly [string, ArtifactId] | undefined =>
      [...needing][pick % Math.max(1, needing.size)];
    const acts: Readonly<Record<Move["kind"], (move: Move, job: string) => Promise<void>>> = {
      send: async ({ pick }) => void sent.push(await upload(store, randomBytes(1 + pick * 1000), "abc")),
      name: async ({ pick }, job) => {
        const artifactId = sent[pick % Math.max(1, sent.length)];
        if (artifactId === undefined || !(await isThere(store, artifactId))) return;
        must(await store.write(({ insertJob }) => insertJob(createQueued(job, nameBy(job, artifactId)), {})));
        needing.set(job, artifactId);
      },
      start: async ({ pick, kind }) => moveOn(pick, kind as "start"),
      run: async ({ pick, kind }) => moveOn(pick, kind as "run"),
      end: async ({ pick, time }) => {
        const [job, artifactId] = pickJob(pick) ?? [];
        if (job === undefined || artifactId === undefined) return;
        must(
          await store.write(({ saveJob }) =>
            saveJob(createEnded(job, { ...nameBy(job, artifactId), completedAt: time })),
          ),
        );
        needing.delete(job);
      },
      remove: async ({ pick }) => {
        const [job] = pickJob(pick) ?? [];
        if (job === undefined) return;
        must(await store.write(({ deleteJob }) => deleteJob(toId(job))));
        needing.delete(job);
      },
      open: async ({ pick }) => void (await store.artifacts.open((sent[pick] ?? "none") as ArtifactId)),
      clean: async ({ pick, time }) =>
        void must(await store.artifacts.deleteUnused({ expiry: time, maxBytes: pick * 800 })),
      wait: async ({ time }) => set(time),
    };
    const moveOn = async (pick: number, kind: "start" | "run"): Promise<void> => {
      const [job, artifactId] = pickJob(pick) ?? [];
      if (job !== undefined && artifactId !== undefined)
        must(await store.write(({ saveJob }) => saveJob(NEXT[kind](job, nameBy(job, artifactId)))));
    };
    for (const [index, one] of moves.entries()) {
      await acts[one.kind](one, `j${index}`);
      for (const needed of needing.values()) expect(readAll(store, needed).length).toBeGreaterThan(0);
    }
    await store.close();
  };
  await fc.assert(fc.asyncProperty(fc.array(move, { maxLength: 25 }), holds), { numRuns: 60 });
}, 120_000);

test("one that is a job's code and another's input is kept for both", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const id = await upload(store, createBytes(1));
  await addJobs(store, [
    createEnded("code", { artifactId: id, completedAt: 3000 }),
    createEnded("input", { inputId: id, completedAt: 5000 }),
  ]);
  set(9999);
  expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 5000 }))).toBe(0);
  await addJobs(store, [createRunning("again", { inputId: id })]);
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(0);
  must(await store.write(({ saveJob }) => saveJob(createEnded("again", { inputId: id, completedAt: 6000 }))));
  expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 6000 }))).toBe(0);
  expect(must(await store.artifacts.deleteUnused({ ...ALL_KEPT, expiry: 6001 }))).toBe(1);
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
  const deleted = await store.artifacts.deleteUnused(NOTHING_KEPT);
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
  const [deleted, found] = await Promise.all([
    store.artifacts.deleteUnused(NOTHING_KEPT),
    store.artifacts.findBySha("abc"),
  ]);
  expect([must(deleted), found]).toEqual([1, null]);
});

test("a large artifact is deleted a little at a time, and other writers go on", async () => {
  const folder = makeFolder();
  const { clock, set } = createSettableClock();
  const store = openIn(folder, clock);
  const { chunks } = watchTables(folder);
  await upload(store, createBytes(60 * ROW));
  set(9999);
  const deleted = store.artifacts.deleteUnused(NOTHING_KEPT);
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
    await upload(store, randomBytes(80 * ROW));
    set(clock() + 9999);
    expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(1);
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

const DIE_AT = `
  await store.close();
  const steps = { left: STEP };
  const dying = must(openStore({ serverDir: SERVER_DIR, clock: () => 90_000, onStep: () => {
    steps.left -= 1;
    if (steps.left === 0) process.kill(process.pid, "SIGKILL");
  } }));
  const send = async (fill) => {
    const writer = dying.artifacts.begin("abc");
    must(await writer.append(new Uint8Array(${ROW} + fill).fill(fill)));
    return must(await writer.finish());
  };
  const end = (id, completedAt) => dying.write((transaction) => transaction.saveJob({ ...transaction.findJob(id),
    status: "completed", startedAt: 1, completedAt, gpuIdxs: [], dir: "", markedForKill: false, exitCode: 0 }));
  for (const fill of [1, 2, 3]) {
    const artifactId = await send(fill);
    must(await dying.write(({ insertJob }) => insertJob({ ...createQueued("j" + fill), artifactId }, {})));
    if (fill < 3) must(await end("j" + fill, fill));
  }
  await dying.close();
  const late = must(openStore({ serverDir: SERVER_DIR, clock: () => 190_000, onStep: () => {
    steps.left -= 1;
    if (steps.left === 0) process.kill(process.pid, "SIGKILL");
  } }));
  must(await late.artifacts.deleteUnused({ expiry: 2, maxBytes: 0 }));
  await late.close();`;

test("a server that dies at any step leaves no job without its code, and no code half there", async () => {
  for (let step = 1; step <= 40; step += 3) {
    const folder = makeFolder();
    const code = DIE_AT.replaceAll("SERVER_DIR", JSON.stringify(folder)).replaceAll("STEP", String(step));
    await spawnWithStore(folder, code).exited;
    const store = openIn(folder);
    const tables = watchTables(folder);
    for (const job of store.loadQueuedJobs()) {
      const bytes = readAll(store, job.artifactId as ArtifactId);
      expect(bytes.equals(Buffer.alloc(bytes.length, Number(job.id.slice(1))))).toBe(true);
    }
    for (const id of ["j1", "j2"]) {
      const artifactId = store.findJob(toId(id))?.artifactId;
      if (artifactId && (await isThere(store, artifactId)))
        expect(readAll(store, artifactId).length).toBeGreaterThan(ROW);
    }
    await waitUntil(() => tables.chunks() === 2 * tables.artifacts());
    await store.close();
  }
}, 60_000);

test("an upload that is under way is not taken for one that a crash left", async () => {
  const { clock, set } = createSettableClock();
  const store = openTemporary(clock);
  const writer = store.artifacts.begin(null);
  must(await writer.append(createBytes(2 * ROW)));
  set(9999);
  expect(must(await store.artifacts.deleteUnused(NOTHING_KEPT))).toBe(0);
  must(await writer.append(createBytes(ROW)));
  expect(readAll(store, must(await writer.finish())).length).toBe(3 * ROW);
});

test("200 MiB pass through in a fraction of their memory, both ways", async () => {
  const child = spawnWithStore(
    makeFolder(),
    `import { createHash, randomBytes } from "node:crypto";
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
