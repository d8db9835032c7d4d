import { expect, test } from "bun:test";
import fc from "fast-check";
import { createEnded, createQueued, createRunning } from "../../../../../../tests/support/samples.ts";
import { must, openTemporary } from "../../../../../../tests/support/store.ts";
import type { Job } from "../../../../core/jobs/job.ts";
import { listAttempts } from "../../../../core/jobs/job-attempts.ts";
import type { SpentJob } from "../../../../core/jobs/usage/stints.ts";

const NOW = 1000;

const moment = fc.integer({ min: 0, max: NOW });
const gpus = fc.uniqueArray(fc.nat(3), { maxLength: 3 });
const past = fc
  .array(fc.tuple(moment, fc.nat(50), gpus), { maxLength: 2 })
  .map((tries) => tries.toSorted(([a], [b]) => a - b))
  .map((tries) =>
    tries.map(([startedAt, length, gpuIdxs]) => ({
      ...{
        startedAt,
        endedAt: startedAt + length,
        gpuIdxs,
        exitCode: 1,
        reason: "exit code 1",
        cause: "exit" as const,
      },
    })),
  )
  .map((attempts) =>
    attempts.length === 0
      ? {}
      : {
          past: {
            attempts,
            retryAt: (attempts.at(-1)?.endedAt ?? 0) + 1,
            dir: "/jobs/a",
            hasWork: false,
            messages: {},
          },
        },
  );

const job = fc
  .tuple(past, gpus, moment, fc.nat(100), fc.constantFrom("ann", "bob"), fc.constantFrom("queued", "running", "failed"))
  .map(([tried, gpuIdxs, after, length, user, status]) => (id: string): Job => {
    const startedAt = after + ("past" in tried ? tried.past.retryAt : 0);
    const own = { ...tried, gpuIdxs, numGpus: gpuIdxs.length, user };
    if (status === "queued") return createQueued(id, { ...tried, user });
    if (status === "running") return createRunning(id, { ...own, startedAt });
    return createEnded(id, { ...own, status, startedAt, completedAt: startedAt + length });
  });

const measure = (one: Job, since: number): number =>
  listAttempts(one).reduce(
    (sum, { started_at: from, ended_at: to, gpu_idxs: used }) =>
      sum + used.length * Math.max(0, Math.min(to ?? NOW, NOW) - Math.max(from, since)),
    0,
  );

const write = async (store: ReturnType<typeof openTemporary>, jobs: readonly Job[]): Promise<void> => {
  const old = (await Array.fromAsync(store.listJobs({ limit: 100, offset: 0 }))).flat();
  must(
    await store.write((transaction) => {
      for (const { id } of old) transaction.deleteJob(id);
      for (const one of jobs) {
        transaction.insertJob(createQueued(one.id), {});
        transaction.saveJob(one);
      }
    }),
  );
};

test("each attempt of each job is counted within the time, the same for a user alone and for all", async () => {
  const store = openTemporary();
  const isSame = async (makers: readonly ((id: string) => Job)[], since: number): Promise<void> => {
    const jobs = makers.map((make, index) => make(`j${index}`));
    await write(store, jobs);
    const list = (user?: string) =>
      store.foldSpent({ since, user }, [] as readonly SpentJob[], (before, more) => [...before, ...more]);
    const all = await list();
    for (const user of ["ann", "bob"]) {
      const expected = jobs.reduce((sum, one) => sum + (one.user === user ? measure(one, since) : 0), 0);
      expect(store.readGpuSeconds(user, { since, until: NOW })).toBeCloseTo(expected, 6);
      expect(await list(user)).toEqual(all.filter((one) => one.user === user));
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(job, { maxLength: 8 }), moment, isSame), { numRuns: 150 });
});

test("a job is told with its labels, what it booked and how idle its GPUs were", async () => {
  const store = openTemporary();
  const gpuUse = { looks: 3, meanPercent: 5, peakPercent: 9, idleShare: 0.25 };
  const one = createEnded("a", { name: "base", batchId: "b1", bookedGpus: 0.5, gpuUse, startedAt: 200 });
  await write(store, [one]);
  expect(await store.foldSpent({ since: 0 }, [] as readonly SpentJob[], (_before, jobs) => jobs)).toMatchObject([
    { user: "ann", name: "base", batchId: "b1", bookedGpus: 0.5, idleShare: 0.25, gpuIdxs: [0], past: [] },
  ]);
});
