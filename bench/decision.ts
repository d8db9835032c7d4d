import { rmSync } from "node:fs";
import type { QueuedJob } from "../src/server/core/jobs/job.ts";
import { decideFromHead } from "../src/server/core/queue/decision/decide-from-head.ts";
import { describeGpus } from "../src/server/core/queue/gpu-selection.ts";
import { createLimitsOf } from "../src/server/core/queue/user-limits.ts";
import type { Store } from "../src/server/core/store.ts";
import { openStore } from "../src/server/external/sqlite/open-store.ts";
import { createGpu, createQueued, createRunning } from "../tests/support/samples.ts";
import { formatMs, formatRatio, makeFolder, measure, median, percentile, printFigure } from "./harness.ts";

const NOW = 1_000_000;
const GPUS = 8;
const USERS = 50;
const NEEDS = 3;
const VRAM_KINDS = 16;
const LENGTHS = [10_000, 100_000];
const AT_ONCE = 5000;
const ROUNDS = 31;

type Machine = Readonly<{ name: string; busy: number; maxPassedOverS: number }>;

const MACHINES: readonly Machine[] = [
  { name: "all GPUs free", busy: 0, maxPassedOverS: 3600 },
  { name: "2 of 8 free", busy: 6, maxPassedOverS: 3600 },
  { name: "2 of 8 free, all passed over for long", busy: 6, maxPassedOverS: 1 },
  { name: "all shared", busy: 8, maxPassedOverS: 3600 },
];

const needOf = (at: number): Partial<QueuedJob> => {
  if (at % NEEDS === 0) return { numGpus: 1 };
  return at % NEEDS === 1 ? { numGpus: 2 } : { vramMib: 1024 + 1024 * (Math.floor(at / NEEDS) % VRAM_KINDS) };
};

const waitOf = (at: number): Partial<QueuedJob> => {
  if (at % 20 === 0) return { heldBy: "user" };
  if (at % 20 === 1) return { beginAt: NOW + 3600 };
  return at % 20 === 2 ? { after: ["other"], isWaiting: true } : {};
};

const createWaiting = (at: number): QueuedJob => {
  const turn = Math.floor(at / USERS);
  const place = { user: `user${at % USERS}`, priority: at % 5, createdAt: NOW - 1000 + at / 1000 };
  return createQueued(`q${at}`, { ...needOf(turn), ...waitOf(turn), ...place });
};

const createBusy = (at: number): ReturnType<typeof createRunning> => {
  const shared = at % 2 === 1 ? { vramMib: 4096, bookedGpus: 0.2 } : {};
  return createRunning(`r${at}`, { user: `user${at}`, gpuIdxs: [at], startedAt: NOW - 4000, ...shared });
};

const fill = async (store: Store, length: number): Promise<void> => {
  for (let from = 0; from < length; from += AT_ONCE)
    await store.write((transaction) => {
      for (let at = from; at < Math.min(length, from + AT_ONCE); at++) transaction.insertJob(createWaiting(at), {});
    });
};

const setBusy = (store: Store, busy: number) =>
  store.write((transaction) => {
    for (const { id } of store.loadActiveJobs()) transaction.deleteJob(id);
    for (let at = 0; at < busy; at++) {
      transaction.insertJob({ ...createWaiting(at), id: createBusy(at).id }, {});
      transaction.saveJob(createBusy(at));
    }
  });

const decide = (store: Store, maxPassedOverS: number) => {
  const active = store.loadActiveJobs();
  const states = describeGpus(
    Array.from({ length: GPUS }, (_, index) => createGpu(index)),
    active,
    store.listBlacklist(),
  );
  const limits = { maxCpuJobs: 0, maxPassedOverS, limitsOf: createLimitsOf({ maxGpus: 4, maxRunning: 10 }) };
  const facts = { ...limits, active, drains: store.readDrains(), useOf: store.readUseOf(NOW) };
  return decideFromHead(facts, states, { now: NOW, load: store.loadDecidingJobs });
};

const timeReference = async (): Promise<number> => {
  const texts = Array.from({ length: 10_000 }, (_, at) => JSON.stringify(createWaiting(at)));
  return median(await measure(ROUNDS, () => texts.map((text) => JSON.parse(text))));
};

const benchLength = async (length: number, reference: number): Promise<void> => {
  const serverDir = makeFolder();
  const opened = openStore({ serverDir, clock: () => NOW, fair: { isFair: true, halfLifeS: 7 * 86_400 } });
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  await fill(store, length);
  for (const { name, busy, maxPassedOverS } of MACHINES) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await setBusy(store, busy);
      times.push(...(await measure(1, () => decide(store, maxPassedOverS))));
    }
    const { queued, starts } = decide(store, maxPassedOverS);
    printFigure(`${length} queued, ${name}`, formatMs(median(times)), formatRatio(median(times), reference, "parsing"));
    printFigure(`  ${starts.length} start, ${queued.length} read`, formatMs(percentile(times, 0.95)), "95 of 100");
  }
  await store.close();
  rmSync(serverDir, { recursive: true });
};

/** Each decision after a change of the database, so that nothing is remembered; with the order by use and limits of users. */
export const benchDecision = async (): Promise<void> => {
  const reference = await timeReference();
  printFigure("parsing 10 000 jobs' JSON", formatMs(reference));
  for (const length of LENGTHS) await benchLength(length, reference);
};
