import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createQueued, createRunning } from "../../../../../../tests/support/samples.ts";
import type { Job, QueuedJob } from "../../../../core/jobs/job.ts";
import { createUseOf, type Stretch } from "../../../../core/queue/fair-share.ts";
import { createStartOrder } from "../../../../core/queue/queue-turns.ts";
import type { Store } from "../../../../core/store.ts";
import { openStore } from "../../open-store.ts";

const NOW = 10_000;
const HALF_LIFE_S = 3600;

const open = (serverDir: string): Store => {
  const store = openStore({ serverDir, clock: () => NOW, fair: { isFair: true, halfLifeS: HALF_LIFE_S } });
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
};

const withFolder = async (use: (serverDir: string) => Promise<void>): Promise<void> => {
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-fair-"));
  try {
    await use(serverDir);
  } finally {
    rmSync(serverDir, { recursive: true, force: true });
  }
};

const listQueue = async (store: Store, offset: number, limit: number): Promise<readonly string[]> => {
  const found: Job[] = [];
  for await (const slice of store.listJobs({ statuses: ["queued"], limit, offset })) found.push(...slice);
  return found.map(({ id }) => id);
};

const fill = async (
  store: Store,
  jobs: readonly Partial<QueuedJob>[],
  stretches: readonly Stretch[],
): Promise<void> => {
  await store.write((transaction) => {
    for (const { id } of store.loadQueuedJobs()) transaction.deleteJob(id);
    for (const [index, fields] of jobs.entries()) transaction.insertJob(createQueued(`q${index}`, fields), {});
    for (const one of stretches) transaction.chargeUse(one);
  });
};

const user = fc.constantFrom("ann", "bob", "cyd", "dan");
const job = fc.record({ user, priority: fc.integer({ min: 0, max: 2 }), createdAt: fc.nat(3) });
const stretch: fc.Arbitrary<Stretch> = fc.record({
  user,
  gpus: fc.constantFrom(1, 2),
  from: fc.constant(1000),
  to: fc.constantFrom(2000, 3000),
});

test(
  "lists, pages, positions and heads of the queue are in the order in which jobs start",
  () =>
    withFolder(async (serverDir) => {
      const store = open(serverDir);
      const check = async (jobs: readonly Partial<QueuedJob>[], stretches: readonly Stretch[], page: number) => {
        await fill(store, jobs, stretches);
        const order = createStartOrder(store.readUseOf(NOW));
        const wanted = store.loadQueuedJobs().toSorted(order);
        const ids = wanted.map(({ id }) => id as string);
        expect(await listQueue(store, 0, 100)).toEqual(ids);
        expect(await listQueue(store, page, 2)).toEqual(ids.slice(page, page + 2));
        expect(wanted.map((one) => store.countQueuedBefore(one))).toEqual(ids.map((_id, index) => index));
        expect(store.loadQueuedJobs({ limit: page }).map(({ id }) => id as string)).toEqual(ids.slice(0, page));
      };
      const queue = fc.array(job, { maxLength: 10 });
      await fc.assert(fc.asyncProperty(queue, fc.array(stretch, { maxLength: 3 }), fc.nat(5), check), { numRuns: 150 });
      await store.close();
    }),
  60_000,
);

test("what a user had is kept as one figure, over a restart", () =>
  withFolder(async (serverDir) => {
    const first = open(serverDir);
    const stretches = [1000, 4000, 7000].map((from) => ({ user: "ann", gpus: 2, from, to: from + 500 }));
    for (const one of stretches) await first.write((transaction) => transaction.chargeUse(one));
    await first.close();
    const second = open(serverDir);
    const wanted = createUseOf([], stretches, { now: NOW, halfLifeS: HALF_LIFE_S })("ann");
    expect(second.readUseOf(NOW)?.("ann")).toBeCloseTo(wanted, 6);
    await second.close();
  }));

test("of a job that runs on shared GPUs their booked part counts, for use and for limits", () =>
  withFolder(async (serverDir) => {
    const store = open(serverDir);
    const shared = { ...createRunning("a", { gpuIdxs: [0, 1], numGpus: 2, startedAt: 9000 }), bookedGpus: 0.75 };
    const alone = createRunning("b", { gpuIdxs: [2], numGpus: 1, startedAt: 9000 });
    const used = await store.write((transaction) => {
      for (const running of [shared, alone]) {
        transaction.insertJob(createQueued(running.id), {});
        transaction.saveJob(running);
      }
      return transaction.readUse("ann");
    });
    expect(used).toEqual({ ok: true, value: { gpus: 1.75, running: 2 } });
    const stretch = { user: "ann", gpus: 1.75, from: 9000, to: NOW };
    const wanted = createUseOf([], [stretch], { now: NOW, halfLifeS: HALF_LIFE_S })("ann");
    expect(store.readUseOf(NOW)?.("ann")).toBeCloseTo(wanted, 6);
    await store.close();
  }));

test("the jobs of a batch are listed in the order in which they start", () =>
  withFolder(async (serverDir) => {
    const store = open(serverDir);
    const jobs = [{ user: "ann" }, { user: "bob" }, { user: "ann", priority: 1 }, { user: "bob" }];
    const stretch = { user: "ann", gpus: 1, from: 1000, to: 3000 };
    await fill(store, [...jobs.map((one) => ({ ...one, batchId: "b1" })), { user: "cyd" }], [stretch]);
    const found: string[] = [];
    for await (const slice of store.listJobs({ batchId: "b1", limit: 10, offset: 0 }))
      found.push(...slice.map(({ id }) => id));
    expect(found).toEqual(["q2", "q1", "q3", "q0"]);
    await store.close();
  }));
