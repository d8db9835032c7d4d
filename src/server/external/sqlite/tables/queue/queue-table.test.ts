import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createEnded, createGpu, createQueued, createRunning } from "../../../../../../tests/support/samples.ts";
import { must, openTemporary, toId } from "../../../../../../tests/support/store.ts";
import type { JobBatch } from "../../../../core/jobs/fields/batches.ts";
import type { JobWaits } from "../../../../core/jobs/fields/waits.ts";
import type { QueuedJob } from "../../../../core/jobs/job.ts";
import { decideFromHead } from "../../../../core/queue/decision/decide-from-head.ts";
import { findIneligibility } from "../../../../core/queue/eligibility.ts";
import type { Gpu } from "../../../../core/queue/gpu.ts";
import { describeGpus } from "../../../../core/queue/gpu-selection.ts";
import { countOfBatch } from "../../../../core/queue/limits/batch-limit.ts";
import { nameNeed, parseNeed } from "../../../../core/queue/needs/need-name.ts";
import { createCountStarts, limitStarts } from "../../../../core/queue/queue-head.ts";
import { compareStartOrder, decideStarts, type Start } from "../../../../core/queue/queue-turns.ts";
import { countUse, createLimitsOf, NO_LIMITS } from "../../../../core/queue/user-limits.ts";
import { type Blocker, explainWaits, type WaitFacts } from "../../../../core/queue/wait.ts";
import type { Store, Transaction } from "../../../../core/store.ts";

const GPUS = 5;
const NOW = 10_000;
const LIMIT_S = 1800;

const gpu = fc.nat(GPUS - 1);

const need = fc.record({
  ignoreBlacklist: fc.boolean(),
  gpus: fc.oneof(
    fc.integer({ min: 0, max: GPUS + 1 }).map((numGpus) => ({ numGpus, requestedGpuIdxs: [] as readonly number[] })),
    fc
      .uniqueArray(fc.nat(GPUS), { minLength: 1, maxLength: 3 })
      .map((requestedGpuIdxs) => ({ numGpus: requestedGpuIdxs.length, requestedGpuIdxs })),
  ),
});

type Need = typeof need extends fc.Arbitrary<infer One> ? One : never;

const createQueue = (needs: readonly Need[]) =>
  fc
    .array(
      fc.record({
        need: fc.constantFrom(...needs),
        priority: fc.integer({ min: -1, max: 1 }),
        createdAt: fc.oneof(fc.integer({ min: NOW - 3 * LIMIT_S, max: NOW }), fc.constantFrom(NOW - LIMIT_S, NOW)),
      }),
      { maxLength: 40 },
    )
    .map((jobs) =>
      jobs.map(({ need: { gpus, ignoreBlacklist }, ...rest }, index) =>
        createQueued(`q${index}`, { ...gpus, ignoreBlacklist, ...rest }),
      ),
    );

const queue = fc.uniqueArray(need, { minLength: 1, maxLength: 5 }).chain(createQueue);

const active = fc
  .tuple(fc.uniqueArray(gpu, { maxLength: 4 }), fc.nat(3))
  .map(([onGpus, onCpu]) => [
    ...onGpus.map((index) => createRunning(`g${index}`, { gpuIdxs: [index] })),
    ...Array.from({ length: onCpu }, (_, index) => createRunning(`c${index}`, { gpuIdxs: [], numGpus: 0 })),
  ]);

const condition: fc.Arbitrary<Partial<Gpu>> = fc.constantFrom(
  {},
  {},
  { processes: [7] },
  { fault: "GPU is lost" },
  { doubt: "it is 40 % busy" },
  { unseenUse: "it is 98 % busy" },
);

const machine = fc
  .array(condition, { minLength: GPUS, maxLength: GPUS })
  .map((conditions) => conditions.map((one, index) => createGpu(index, [], one)));

const facts = fc.record({
  queued: queue,
  active,
  gpus: fc.option(machine, { freq: 8 }),
  blacklist: fc.uniqueArray(gpu, { maxLength: 2 }).map((indexes) => new Set(indexes)),
  maxCpuJobs: fc.nat(5),
  maxPassedOverS: fc.constant(LIMIT_S),
});

const owner: fc.Arbitrary<Pick<QueuedJob, "user" | "agent">> = fc.constantFrom(
  { user: "ada" },
  { user: "bot", agent: { gpus: 1, queued: 9, gpuHours: 1 } },
  { user: "robot", agent: { gpus: 2, queued: 9, gpuHours: 1 } },
);

const waiting: fc.Arbitrary<JobWaits> = fc.constantFrom<JobWaits>(
  {},
  { heldBy: "user" },
  { heldBy: "admin", beginAt: NOW - 5 },
  { beginAt: NOW - 5 },
  { beginAt: NOW },
  { beginAt: NOW + 0.5 },
  { uncountedS: LIMIT_S },
  { noPassing: true },
  { noPassing: true, beginAt: NOW + 0.5 },
);

const factsWithAgents = fc
  .tuple(facts, fc.infiniteStream(owner), fc.subarray(["bot", "robot"]))
  .map(([given, owners, spent]): WaitFacts => {
    const own = <Owned extends object>(job: Owned): Owned => ({ ...job, ...owners.next().value });
    const countGpuSeconds = (user: string): number => (spent.includes(user) ? 3600 : 3599);
    return { ...given, queued: given.queued.map(own), active: given.active.map(own), countGpuSeconds };
  });

const batches: fc.Arbitrary<JobBatch> = fc.constantFrom<JobBatch>(
  {},
  { batchId: "a", batchMax: 1 },
  { batchId: "b", batchMax: 3 },
  { batchId: "c" },
);

const factsWithBatches = fc.tuple(facts, fc.infiniteStream(batches)).map(([given, members]): WaitFacts => {
  const join = <Member extends object>(job: Member): Member => ({ ...job, ...members.next().value });
  return { ...given, queued: given.queued.map(join), active: given.active.map(join) };
});

const limit = fc.option(fc.nat(3));
const limits = fc.record({ maxGpus: limit, maxRunning: limit }, { requiredKeys: [] });

const use = fc.option(
  fc.dictionary(fc.constantFrom("ada", "bob", "cyd"), fc.nat(2)).map(
    (by) =>
      (user: string): number =>
        by[user] ?? 0,
  ),
);

const factsWithLimits = fc
  .tuple(facts, fc.infiniteStream(fc.constantFrom("ada", "bob", "cyd")), limits, limits, fc.infiniteStream(use))
  .map(([given, users, general, ofBob, uses]): WaitFacts => {
    const own = <Owned extends object>(job: Owned): Owned => ({ ...job, user: users.next().value });
    const limitsOf = createLimitsOf({ ...general, users: [{ name: "bob", ...ofBob }] });
    const useOf = uses.next().value;
    return { ...given, queued: given.queued.map(own), active: given.active.map(own), limitsOf, useOf };
  });

const part = fc.record({
  cpus: fc.option(fc.integer({ min: 1, max: 4 })),
  memoryMib: fc.option(fc.integer({ min: 1, max: 9 })),
});

const factsWithHost = fc
  .tuple(
    facts,
    fc.array(part, { minLength: 1, maxLength: 3 }),
    fc.record({ cpus: fc.integer({ min: 1, max: 8 }), memoryMib: fc.integer({ min: 1, max: 16 }) }),
    fc.boolean(),
  )
  .map(([given, parts, whole, bookCpus]): WaitFacts => {
    const ask = <Asking extends object>(job: Asking, index: number): Asking => ({
      ...job,
      ...parts[index % parts.length],
    });
    const host = { whole, bookCpus };
    return { ...given, queued: given.queued.map(ask), active: given.active.map(ask), host };
  });

const fillStore = async (store: Store, queued: readonly QueuedJob[]): Promise<void> => {
  const change = store.write((transaction) => {
    for (const { id } of store.loadQueuedJobs()) transaction.deleteJob(id);
    for (const job of queued) transaction.insertJob(job, {});
  });
  must(await change);
};

const describeAll = ({ gpus, active: running, blacklist }: WaitFacts) =>
  describeGpus((gpus ?? []) as readonly Gpu[], running, blacklist);

const readHead = (store: Store, given: WaitFacts): readonly QueuedJob[] => {
  const states = describeAll(given);
  return store.loadDecidingJobs(limitStarts(createCountStarts(given, states), given, states), () => NOW - LIMIT_S);
};

const listStarts = (given: WaitFacts): readonly (readonly [string, Start["gpuIdxs"]])[] =>
  decideStarts(given, describeAll(given), NOW).map(({ job, gpuIdxs }) => [job.id, gpuIdxs]);

const explain = (given: WaitFacts, job: QueuedJob): Blocker | null | undefined =>
  [...explainWaits(given, NOW, new Set([job.id]))][0]?.blocker;

const expectSameStarts = async (store: Store, given: WaitFacts): Promise<readonly QueuedJob[]> => {
  await fillStore(store, given.queued);
  const head = readHead(store, given);
  expect(listStarts({ ...given, queued: head })).toEqual(listStarts(given));
  return head;
};

const expectSameReasons = (given: WaitFacts, head: readonly QueuedJob[]): void => {
  for (const job of given.queued) {
    const others = head.filter(({ id }) => id !== job.id);
    expect(explain({ ...given, queued: [...others, job] }, job)).toEqual(explain(given, job));
  }
};

describe("over any machine and queue, of the jobs that are read", () => {
  test("the same start, with limits and by use, where more are read only while all that were read start", async () => {
    const store = openTemporary();
    let read = 0;
    const isSame = async (given: WaitFacts): Promise<void> => {
      await fillStore(store, given.queued);
      const states = describeAll(given);
      const decision = decideFromHead(given, states, { now: NOW, load: store.loadDecidingJobs });
      expect(listStarts({ ...given, queued: decision.queued })).toEqual(listStarts(given));
      expect(decision.starts).toEqual(decideStarts(given, states, NOW));
      expect(new Set(decision.queued.map(({ id }) => id)).size).toBe(decision.queued.length);
      read += decision.queued.length;
    };
    await fc.assert(fc.asyncProperty(factsWithLimits, isSame), { numRuns: 300 });
    await fc.assert(fc.asyncProperty(factsWithAgents, isSame), { numRuns: 300 });
    await fc.assert(fc.asyncProperty(factsWithHost, isSame), { numRuns: 300 });
    expect(read).toBeGreaterThan(0);
  }, 60_000);

  test("the same start on the same GPUs as of the whole queue, and each that waits has the same reason", async () => {
    const store = openTemporary();
    const isSame = async (given: WaitFacts): Promise<void> => {
      expectSameReasons(given, await expectSameStarts(store, given));
    };
    await fc.assert(fc.asyncProperty(facts, isSame), { numRuns: 600 });
  }, 60_000);

  test("so it is with jobs that are held, that are not to begin yet, or whose time has come", async () => {
    const store = openTemporary();
    const isSame = async (given: WaitFacts, waits: readonly JobWaits[]): Promise<void> => {
      const queued = given.queued.map((job, index) => ({ ...job, ...waits[index % waits.length] }));
      await fillStore(store, queued);
      must(await store.write((transaction) => transaction.openTurns(NOW)));
      const head = readHead(store, given);
      expect(head.filter((job) => findIneligibility(job, NOW) !== null)).toEqual([]);
      expect(listStarts({ ...given, queued: head })).toEqual(listStarts({ ...given, queued }));
    };
    await fc.assert(fc.asyncProperty(facts, fc.array(waiting, { minLength: 1, maxLength: 7 }), isSame), {
      numRuns: 400,
    });
  }, 60_000);

  test("so it is within the limits of each user, over which nobody's jobs go", async () => {
    const store = openTemporary();
    const isSame = async (given: WaitFacts): Promise<void> => {
      await expectSameStarts(store, given);
      const starts = decideStarts(given, describeAll(given), NOW);
      for (const user of new Set(starts.map(({ job }) => job.user))) {
        const { maxGpus, maxRunning } = (given.limitsOf ?? NO_LIMITS)(user);
        const use = countUse(user, [...given.active, ...starts.map(({ job }) => job)]);
        expect(use.running).toBeLessThanOrEqual(maxRunning ?? use.running);
        const hasGpuStart = starts.some(({ job }) => job.user === user && job.numGpus > 0);
        if (hasGpuStart) expect(use.gpus).toBeLessThanOrEqual(maxGpus ?? use.gpus);
      }
    };
    await fc.assert(fc.asyncProperty(factsWithLimits, isSame), { numRuns: 400 });
  }, 60_000);

  test("so it is with batches of which only some may run at once", async () => {
    const store = openTemporary();
    const isSame = async (given: WaitFacts): Promise<void> => {
      const head = await expectSameStarts(store, given);
      const starts = decideStarts(given, describeAll(given), NOW).map(({ job }) => job);
      for (const { batchId = "", batchMax } of starts)
        if (batchMax) expect(countOfBatch(batchId, [...given.active, ...starts])).toBeLessThanOrEqual(batchMax);
      expectSameReasons(given, head);
    };
    await fc.assert(fc.asyncProperty(factsWithBatches, isSame), { numRuns: 300 });
  }, 60_000);

  test("so it is with CPUs and memory, of which no more is booked than there is", async () => {
    const store = openTemporary();
    const isSame = async (given: WaitFacts): Promise<void> => {
      expectSameReasons(given, await expectSameStarts(store, given));
    };
    await fc.assert(fc.asyncProperty(factsWithHost, isSame), { numRuns: 300 });
  }, 60_000);

  test("so it is with agents, whose jobs never have more GPUs than they may", async () => {
    const store = openTemporary();
    const isSame = async (given: WaitFacts): Promise<void> => {
      const head = await expectSameStarts(store, given);
      const starts = decideStarts(given, describeAll(given), NOW).filter(({ job }) => job.agent && job.numGpus > 0);
      for (const [user, own] of Map.groupBy(starts, ({ job }) => job.user)) {
        const had = given.active.filter((job) => job.user === user).flatMap(({ gpuIdxs }) => gpuIdxs);
        const got = own.flatMap(({ gpuIdxs }) => gpuIdxs);
        expect(had.length + got.length).toBeLessThanOrEqual(user === "bot" ? 1 : 2);
        expect(given.countGpuSeconds?.(user)).toBe(3599);
      }
      expectSameReasons(given, head);
    };
    await fc.assert(fc.asyncProperty(factsWithAgents, isSame), { numRuns: 400 });
  }, 60_000);

  test("there are as many as can start and one more for each need, however long the queue", async () => {
    const store = openTemporary();
    const isShort = async (given: WaitFacts): Promise<void> => {
      await fillStore(store, given.queued);
      for (const [name, same] of Map.groupBy(readHead(store, given), nameNeed)) {
        const starts = createCountStarts(given, describeAll(given))(parseNeed(name)) ?? -1;
        expect(same.length).toBeLessThanOrEqual(starts + 1);
      }
    };
    await fc.assert(fc.asyncProperty(facts, isShort), { numRuns: 200 });
  }, 60_000);

  test("each knows how many start before it", async () => {
    const store = openTemporary();
    const isCounted = async (queued: readonly QueuedJob[]): Promise<void> => {
      await fillStore(store, queued);
      const places = queued.toSorted(compareStartOrder).map((job) => store.countQueuedBefore(job));
      expect(places).toEqual(queued.map((_, index) => index));
    };
    await fc.assert(fc.asyncProperty(queue, isCounted), { numRuns: 50 });
  }, 60_000);
});

test("a need is read as it was named, and is the same in whatever order its GPUs are named", () => {
  fc.assert(
    fc.property(need, part, ({ gpus, ignoreBlacklist }, host) => {
      const asked = { ...gpus, ignoreBlacklist, ...host };
      expect(nameNeed(parseNeed(nameNeed(asked)))).toBe(nameNeed(asked));
      const told = (host.cpus ?? host.memoryMib) === null ? { numGpus: gpus.numGpus } : host;
      expect(parseNeed(nameNeed(asked))).toMatchObject(told);
      const named = nameNeed({ ...gpus, ignoreBlacklist });
      expect(nameNeed(parseNeed(named))).toBe(named);
      expect(nameNeed({ ...gpus, requestedGpuIdxs: gpus.requestedGpuIdxs.toReversed(), ignoreBlacklist })).toBe(named);
      expect(parseNeed(named)).toMatchObject({ numGpus: gpus.numGpus });
    }),
  );
});

test("a job that is edited, or queued again, is read by what it needs now", async () => {
  const store = openTemporary();
  await fillStore(store, [createQueued("a", { numGpus: 2 })]);
  must(await store.write(({ saveJob }) => saveJob(createQueued("a", { numGpus: 1 }))));
  const countStarts = createCountStarts({ active: [], maxCpuJobs: 0 }, describeGpus([createGpu(0)], [], new Set()));
  expect(store.loadDecidingJobs(countStarts, () => 0).map(({ numGpus }) => numGpus)).toEqual([1]);
  must(await store.write(({ saveJob }) => saveJob(createRunning("a"))));
  expect(store.loadDecidingJobs(countStarts, () => 0)).toEqual([]);
  must(await store.write(({ saveJob }) => saveJob(createQueued("a", { numGpus: 2, createdAt: 1 }))));
  expect(store.loadDecidingJobs(countStarts, () => 2).map(({ numGpus }) => numGpus)).toEqual([2]);
});

test("whatever happens to jobs, each user's queued ones and all are counted", async () => {
  const store = openTemporary();
  const id = fc.constantFrom("a", "b", "c", "d");
  const user = fc.constantFrom("ann", "bob");
  const change = fc.record({ id, user, kind: fc.constantFrom("queue", "start", "end", "remove", "edit") });
  type Change = typeof change extends fc.Arbitrary<infer One> ? One : never;
  const perform = (transaction: Transaction, { id: name, kind, user: owner }: Change): void => {
    const isThere = transaction.findJob(toId(name)) !== null;
    if (kind === "remove") transaction.deleteJob(toId(name));
    else if (!isThere) transaction.insertJob(createQueued(name, { user: owner }), {});
    else if (kind === "start") transaction.saveJob(createRunning(name, { user: owner }));
    else if (kind === "end") transaction.saveJob(createEnded(name, { user: owner }));
    else transaction.saveJob(createQueued(name, { user: owner, priority: 3 }));
  };
  const isCounted = async (changes: readonly Change[]): Promise<void> => {
    const counted = await store.write((transaction) => {
      for (const one of changes) perform(transaction, one);
      return ["ann", "bob", null].map(transaction.countQueued);
    });
    const queued = store.loadQueuedJobs();
    const count = (owner: string): number => queued.filter((job) => job.user === owner).length;
    expect(must(counted)).toEqual([count("ann"), count("bob"), queued.length]);
  };
  await fc.assert(fc.asyncProperty(fc.array(change, { maxLength: 12 }), isCounted), { numRuns: 200 });
}, 60_000);
