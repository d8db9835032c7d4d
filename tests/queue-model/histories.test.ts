import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ActiveJob, Job, QueuedJob } from "../../src/server/core/jobs/job.ts";
import { NO_DRAINS } from "../../src/server/core/queue/drain.ts";
import { explainWaits } from "../../src/server/core/queue/wait.ts";
import { type Act, histories } from "./acts.ts";
import { judgeQueue, type Verdict } from "./contract-model.ts";
import { createHistoryWorld, type HistoryWorld, limitsOf, PASSED_OVER_S, RESERVE_RULES } from "./history-world.ts";
import { tellBlocker } from "./tell-blocker.ts";

const SPARED_MIB = 512;
const RETRY_DELAYS_S = [10, 60, 300];
const ROUNDS = 60;
const ROUND_S = 400;
const OF_THE_MACHINE = ["gpus_taken", "gpu_type", "vram", "reserved", "blacklisted", "cpu_limit", "cpus", "memory"];
const A_HAIR_S = 0.001;

type Ledger = Map<string, number>;

const isOver = (job: Job | null): boolean => job === null || !["queued", "starting", "running"].includes(job.status);

const checkGpus = (world: HistoryWorld): void => {
  const { gpus, active } = world.readFacts();
  for (const { index, memoryTotal } of gpus ?? []) {
    const here = active.filter(({ gpuIdxs }) => gpuIdxs.includes(index));
    const isShared = here.every(({ vramMib }) => typeof vramMib === "number");
    expect([index, here.length < 2 || isShared]).toEqual([index, true]);
    const booked = here.reduce((sum, { vramMib }) => sum + (vramMib ?? 0), 0);
    expect(booked).toBeLessThanOrEqual((memoryTotal ?? 0) - SPARED_MIB);
  }
};

const checkLimits = (world: HistoryWorld): void => {
  const { active } = world.readFacts();
  for (const [user, own] of Map.groupBy(active, (job) => job.user)) {
    const { maxRunning, maxGpus } = limitsOf(user);
    const gpus = own.reduce((sum, job) => sum + (job.bookedGpus ?? job.gpuIdxs.length), 0);
    expect([user, own.length <= (maxRunning ?? own.length)]).toEqual([user, true]);
    expect([user, gpus <= (maxGpus ?? gpus) + A_HAIR_S]).toEqual([user, true]);
  }
  for (const [batchId, own] of Map.groupBy(active, (job) => job.batchId))
    if (typeof own[0]?.batchMax === "number") expect([batchId, own.length <= own[0].batchMax]).toEqual([batchId, true]);
};

const checkAttempt = (world: HistoryWorld, { id, past }: ActiveJob): void => {
  const attempts = past?.attempts ?? [];
  expect([id, attempts.length <= (world.plans.get(id)?.retries ?? 0)]).toEqual([id, true]);
  const last = attempts.at(-1);
  if (last === undefined) return;
  const delay = RETRY_DELAYS_S[Math.min(attempts.length, RETRY_DELAYS_S.length) - 1] ?? 0;
  expect([id, world.readTime() >= last.endedAt + delay]).toEqual([id, true]);
};

const checkStart = (world: HistoryWorld, job: ActiveJob): void => {
  const { needs = [], needsAny = [] } = world.plans.get(job.id) ?? {};
  const drain = world.readFacts().drains?.last ?? null;
  expect([job.id, needs.map((id) => world.find(id)?.status)]).toEqual([job.id, needs.map(() => "completed")]);
  expect([job.id, needsAny.every((id) => isOver(world.find(id)))]).toEqual([job.id, true]);
  expect([job.id, job.heldBy ?? null, (job.beginAt ?? 0) <= world.readTime()]).toEqual([job.id, null, true]);
  expect([job.id, drain === null || (drain.until !== null && drain.until <= world.readTime())]).toEqual([job.id, true]);
  checkAttempt(world, job);
  checkReserves(world, job);
};

const checkReserves = (world: HistoryWorld, { id, user, gpuIdxs, timeLimitS }: ActiveJob): void => {
  for (const { reservation } of gpuIdxs.flatMap((index) => world.readFacts().reserves?.get(index) ?? [])) {
    const lastsS = timeLimitS ?? RESERVE_RULES.marginS;
    const isClear = reservation.from - world.readTime() > lastsS - (typeof timeLimitS === "number" ? A_HAIR_S : 0);
    expect([id, reservation.user === user || isClear]).toEqual([id, true]);
  }
};

const isLost = (job: Job | null): boolean => job === null || job.status === "failed" || job.status === "killed";

const checkDependents = (world: HistoryWorld): void => {
  for (const [id, { needs }] of world.plans) {
    const job = world.find(id);
    const lost = needs.filter((one) => isLost(world.find(one)));
    if (job === null || lost.length === 0) continue;
    expect([id, job.status, lost]).toEqual([id, job.status === "killed" ? "killed" : "failed", lost]);
    if (job.status === "failed") expect(job).toMatchObject({ startedAt: null, dir: null });
  }
};

const explain = (world: HistoryWorld): readonly Pick<Verdict, "id" | "reason" | "until">[] => {
  const facts = world.readFacts();
  const ids = new Set(facts.queued.map(({ id }) => id));
  return Array.from(explainWaits(facts, world.readTime(), ids), ({ job: { id }, blocker }) => ({
    id,
    ...tellBlocker(blocker),
  }));
};

const judge = (world: HistoryWorld): readonly Verdict[] => judgeQueue(world.readFacts(), world.readTime());

type Spells = Readonly<{ past: readonly Readonly<{ from: number; to: number }>[]; since: number | null }>;

const countSpells = ({ past, since }: Spells, now: number): number =>
  [...past, { from: since ?? now, to: now }].reduce((sum, { from, to }) => sum + Math.min(to, now) - from, 0);

const countDrained = ({ readFacts, readTime }: HistoryWorld): number => {
  const { past, last } = readFacts().drains ?? NO_DRAINS;
  const lasting = last === null ? [] : [{ from: last.since, to: last.until ?? readTime() }];
  return countSpells({ past: [...past, ...lasting], since: null }, readTime());
};

const wasKept = ({ uncountedS = 0, blockedSince = null }: QueuedJob): boolean =>
  uncountedS !== 0 || blockedSince !== null;

const checkKeptFrom = (world: HistoryWorld, job: QueuedJob, told: number, left: number): void => {
  const inexactS = countDrained(world) + A_HAIR_S;
  const isSo = told === 0 ? left < inexactS : Math.abs(told - left) < inexactS;
  expect([job.id, isSo, left, told]).toEqual([job.id, true, left, told]);
};

const isLimited = ({ readFacts }: HistoryWorld, { user, batchMax = null }: QueuedJob): boolean => {
  const { maxGpus = null, maxRunning = null } = readFacts().limitsOf?.(user) ?? {};
  return (batchMax ?? maxGpus ?? maxRunning) !== null;
};

const checkPatience = (world: HistoryWorld, verdicts: readonly Verdict[], ledger: Ledger): void => {
  const { queued } = world.readFacts();
  for (const { id, keptFrom } of verdicts) {
    const job = queued.find((one) => one.id === id);
    if (keptFrom === null || job === undefined || job.noPassing === true) continue;
    if (wasKept(job) && isLimited(world, job)) continue;
    const told = keptFrom === "already" ? 0 : keptFrom - world.readTime();
    checkKeptFrom(world, job, told, PASSED_OVER_S - (ledger.get(id) ?? 0));
  }
};

const look = async (world: HistoryWorld): Promise<readonly ActiveJob[]> => {
  const expected = judge(world);
  expect(explain(world)).toEqual(expected.map(({ id, reason, until }) => ({ id, reason, until })));
  const started = await world.startAll();
  const due = expected.flatMap(({ id, gpuIdxs }) => (gpuIdxs === null ? [] : [[id, gpuIdxs] as const]));
  const got = started.map(({ id, gpuIdxs }) => [id, gpuIdxs] as const);
  expect(new Map<string, readonly number[]>(got)).toEqual(new Map<string, readonly number[]>(due));
  for (const job of started) checkStart(world, job);
  checkGpus(world);
  checkLimits(world);
  return started;
};

const tick = async (world: HistoryWorld, ledger: Ledger): Promise<void> => {
  await world.tend();
  checkDependents(world);
  for (let started = await look(world); started.length > 0; started = await look(world))
    for (const { id } of started) ledger.delete(id);
  checkPatience(world, judge(world), ledger);
};

const findNext = (world: HistoryWorld): number => {
  const { queued, active, drains, reserves } = world.readFacts();
  const times = [
    ...queued.flatMap(({ beginAt, past }) => [beginAt ?? 0, past?.retryAt ?? 0]),
    ...active.map(({ startedAt, timeLimitS }) => startedAt + (timeLimitS ?? 0)),
    drains?.last?.until ?? 0,
    ...[...(reserves ?? [])].flatMap(([, all]) =>
      all.flatMap(({ reservation: { from, until } }) => [from - RESERVE_RULES.marginS, from, until]),
    ),
  ];
  return Math.min(...times.filter((time) => time > world.readTime()));
};

const passTime = async (world: HistoryWorld, ledger: Ledger, seconds: number): Promise<void> => {
  const end = world.readTime() + seconds;
  while (world.readTime() < end) {
    const step = Math.min(end, findNext(world)) - world.readTime();
    for (const { id, reason } of judge(world))
      if (OF_THE_MACHINE.includes(reason ?? "")) ledger.set(id, (ledger.get(id) ?? 0) + step);
    world.pass(step);
    await tick(world, ledger);
  }
};

const happen = async (world: HistoryWorld, ledger: Ledger, act: Act): Promise<void> => {
  await world.act(act);
  if (act.kind === "pass") await passTime(world, ledger, act.seconds);
  else await tick(world, ledger);
};

const endAll = async (world: HistoryWorld, ledger: Ledger): Promise<void> => {
  await world.calm();
  await tick(world, ledger);
  for (let round = 0; round < ROUNDS && world.readFacts().queued.length > 0; round += 1) {
    await world.endRunning();
    await passTime(world, ledger, ROUND_S);
  }
  expect(world.readFacts().queued.map(({ id }) => id)).toEqual([]);
};

test("whatever happens to a server, what starts is what may, nobody is passed over for too long, and all come to their end", async () => {
  const world = createHistoryWorld();
  await fc.assert(
    fc.asyncProperty(histories, async (acts) => {
      await world.clear();
      const ledger: Ledger = new Map();
      for (const act of acts) await happen(world, ledger, act);
      await endAll(world, ledger);
    }),
    { numRuns: Number(process.env["HISTORIES"] ?? 5) },
  );
}, 600_000);
