import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import {
  createQueued,
  createRunning,
  makeFolder,
  must,
  openIn,
  openTemporary,
  toId,
} from "../../../../../tests/support/store.ts";
import type { ArtifactId } from "../../../core/jobs/job.ts";
import type { ArtifactShare, Store } from "../../../core/store.ts";

const KIB = 1024;
const ROW = 512 * KIB;
const LEAST = 64 * KIB;
const MAX = 4 * ROW;
const ANN: ArtifactShare = { owner: "user ann", maxBytes: MAX };

const watchAwaited = (folder: string): (() => number) => {
  const db = new Database(join(folder, "jobs.db"), { readonly: true });
  onTestFinished(() => db.close());
  const awaited = db.query<{ bytes: number }, []>(
    "select ifnull(sum(size), 0) as bytes from artifacts where owner is not null and is_awaited",
  );
  return () => awaited.get()?.bytes ?? 0;
};

const send = async (
  store: Store,
  bytes: number,
  share: ArtifactShare = ANN,
  sha?: string,
): Promise<ArtifactId | null> => {
  const writer = store.artifacts.begin(sha ?? null, share);
  const appended = await writer.append(new Uint8Array(bytes).fill(7));
  const finished = appended.ok ? await writer.finish() : appended;
  if (finished.ok) return finished.value as ArtifactId;
  expect(finished.error).toMatchObject({ kind: "exceeded", maxBytes: share.maxBytes });
  await writer.abort();
  return null;
};

const isThere = async (store: Store, id: ArtifactId): Promise<boolean> =>
  must(await store.write((transaction) => transaction.hasArtifact(id)));

const ROLES = ["artifactId", "inputId"] as const;
type Role = (typeof ROLES)[number];

const nameIn = async (store: Store, job: string, id: ArtifactId, role: Role = "artifactId"): Promise<void> =>
  must(await store.write(({ insertJob }) => insertJob(createQueued(job, { [role]: id }), {})));

const remove = async (store: Store, job: string): Promise<void> =>
  must(await store.write(({ deleteJob }) => deleteJob(toId(job))));

const start = async (store: Store, job: string, id: ArtifactId, role: Role = "artifactId"): Promise<void> =>
  must(await store.write(({ saveJob }) => saveJob(createRunning(job, { [role]: id }))));

test("a share is full to the byte, and nothing is left of what did not fit", async () => {
  const store = openTemporary();
  expect(await send(store, MAX - LEAST)).not.toBeNull();
  expect(await send(store, LEAST + 1)).toBeNull();
  expect(store.artifacts.measure().count).toBe(1);
  expect(await send(store, LEAST)).not.toBeNull();
  expect(await send(store, 1)).toBeNull();
  expect(await send(store, 1, { ...ANN, owner: "user bob" })).not.toBeNull();
});

test("what arrives at the same time can't go over it together", async () => {
  const folder = makeFolder();
  const [store, measureAwaited] = [openIn(folder), watchAwaited(folder)];
  const sent = await Promise.all(Array.from({ length: 8 }, () => send(store, 2 * ROW)));
  const there = sent.filter((id) => id !== null).length;
  expect(there).toBeLessThanOrEqual(2);
  expect(measureAwaited()).toBe(there * 2 * ROW);
  for (let left = 2 - there; left > 0; left -= 1) expect(await send(store, 2 * ROW)).not.toBeNull();
});

test("many small ones are no way round", async () => {
  const store = openTemporary();
  for (let sent = 0; sent < MAX / LEAST; sent += 1) expect(await send(store, 1)).not.toBeNull();
  expect(await send(store, 1)).toBeNull();
});

test.each(ROLES)(
  "one that no job has named yet, or that was offered since, is kept though there is no room; one of removed jobs goes (%s)",
  async (role) => {
    const store = openTemporary();
    const [used, unnamed] = [await send(store, ROW, ANN, "abcd"), await send(store, ROW)];
    if (used === null || unnamed === null) throw new Error("there was room");
    await nameIn(store, "a", used, role);
    await remove(store, "a");
    expect(await store.artifacts.findBySha("abcd", ANN.owner)).toBe(used);
    expect(await send(store, 3 * ROW)).toBeNull();
    expect([await isThere(store, used), await isThere(store, unnamed)]).toEqual([true, true]);
    await nameIn(store, "b", used, role);
    await remove(store, "b");
    expect(await send(store, 3 * ROW)).not.toBeNull();
    expect([await isThere(store, used), await isThere(store, unnamed)]).toEqual([false, true]);
  },
);

test.each(ROLES)(
  "one whose jobs have started is kept and counts no more, until a job waits for it again (%s)",
  async (role) => {
    const store = openTemporary();
    const used = await send(store, 3 * ROW);
    if (used === null) throw new Error("there was room");
    await nameIn(store, "a", used, role);
    expect(await send(store, 2 * ROW)).toBeNull();
    await start(store, "a", used, role);
    expect(await send(store, 2 * ROW)).not.toBeNull();
    expect(await isThere(store, used)).toBe(true);
    await nameIn(store, "b", used, role);
    expect(await send(store, 1)).toBeNull();
  },
);

type Step = Readonly<{ kind: "send" | "name" | "start" | "remove"; pick: number; bytes: number }>;
type Scene = Readonly<{ store: Store; sent: ArtifactId[]; waiting: Map<string, ArtifactId> }>;

const roleOf = (job: string): Role => (Number(job.slice(1)) % 2 === 0 ? "artifactId" : "inputId");

const choose = <Item>(items: readonly Item[], pick: number): Item | undefined =>
  items[pick % Math.max(1, items.length)];

const sendOne = async ({ store, sent }: Scene, { bytes }: Step): Promise<void> => {
  const id = await send(store, bytes);
  if (id !== null) sent.push(id);
};

const nameOne = async ({ store, sent, waiting }: Scene, { pick }: Step, job: string): Promise<void> => {
  const artifact = choose(sent, pick);
  if (artifact === undefined || !(await isThere(store, artifact))) return;
  await nameIn(store, job, artifact, roleOf(job));
  waiting.set(job, artifact);
};

const endWait = async ({ store, waiting }: Scene, { kind, pick }: Step): Promise<void> => {
  const [job, artifact] = choose([...waiting], pick) ?? [];
  if (job === undefined || artifact === undefined) return;
  if (kind === "start") await start(store, job, artifact, roleOf(job));
  else await remove(store, job);
  waiting.delete(job);
};

const perform = (scene: Scene, step: Step, index: number): Promise<void> => {
  if (step.kind === "send") return sendOne(scene, step);
  return step.kind === "name" ? nameOne(scene, step, `j${index}`) : endWait(scene, step);
};

test("whatever is sent, named, started and removed: nobody is taken over their share by what they send, and no job lacks its artifact", async () => {
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom("send", "send", "name", "start", "remove"),
    pick: fc.nat(3),
    bytes: fc.constantFrom(1, LEAST, ROW - 1, ROW + 1, 2 * ROW, 3 * ROW),
  });
  const holds = async (steps: readonly Step[]): Promise<void> => {
    const folder = makeFolder();
    const scene: Scene = { store: openIn(folder), sent: [], waiting: new Map() };
    const measureAwaited = watchAwaited(folder);
    for (const [index, one] of steps.entries()) {
      const before = scene.sent.length;
      await perform(scene, one, index);
      if (scene.sent.length > before) expect(measureAwaited()).toBeLessThanOrEqual(MAX);
      for (const needed of scene.waiting.values()) expect(await isThere(scene.store, needed)).toBe(true);
    }
    await scene.store.close();
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 15 }), holds), { numRuns: 40 });
}, 120_000);
