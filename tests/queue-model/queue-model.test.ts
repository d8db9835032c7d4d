import { expect, test } from "bun:test";
import fc from "fast-check";
import type { QueuedJob } from "../../src/server/core/jobs/job.ts";
import { findShare } from "../../src/server/core/queue/agent-share.ts";
import { findIneligibility } from "../../src/server/core/queue/eligibility.ts";
import { describeGpus, type GpuState } from "../../src/server/core/queue/gpu-selection.ts";
import { findBatch } from "../../src/server/core/queue/limits/batch-limit.ts";
import { nameNeed, parseNeed } from "../../src/server/core/queue/needs/need-name.ts";
import { createCountStarts, limitStarts } from "../../src/server/core/queue/queue-head.ts";
import {
  createStartOrder,
  decideStarts,
  isPassedOver,
  type QueueFacts,
  type Start,
} from "../../src/server/core/queue/queue-turns.ts";
import { markReserved, NO_RESERVES } from "../../src/server/core/queue/reservations/reservation.ts";
import { explainWaits, type Wait, type WaitFacts } from "../../src/server/core/queue/wait.ts";
import { judgeQueue, type Verdict } from "./contract-model.ts";
import { MACHINE_TIME, machines } from "./machines.ts";
import { tellBlocker } from "./tell-blocker.ts";

const describeMachine = ({ gpus, active, blacklist, reserves = NO_RESERVES }: WaitFacts): readonly GpuState[] =>
  markReserved(describeGpus(gpus ?? [], active, blacklist), reserves);

const decide = (given: WaitFacts): readonly Start[] => decideStarts(given, describeMachine(given), MACHINE_TIME);

const explain = (given: WaitFacts): readonly Wait[] =>
  Array.from(explainWaits(given, MACHINE_TIME, new Set(given.queued.map(({ id }) => id))));

const toVerdict = ({ job, blocker }: Wait, starts: readonly Start[]): Verdict => {
  const isTaken = blocker?.kind === "gpus_taken" || blocker?.kind === "host_taken";
  return {
    id: job.id,
    gpuIdxs: starts.find((start) => start.job.id === job.id)?.gpuIdxs ?? null,
    ...tellBlocker(blocker),
    keptFrom: isTaken && blocker.isKeeping ? "already" : isTaken ? blocker.keptFrom : null,
  };
};

test("on any machine just those start that the contract lets start, on the GPUs that it gives them, and the others wait for what it says", () => {
  fc.assert(
    fc.property(machines, (given) => {
      const starts = decide(given);
      const verdicts = judgeQueue(given, MACHINE_TIME);
      expect(explain(given).map((wait) => toVerdict(wait, starts))).toEqual([...verdicts]);
      const inOrder = verdicts.flatMap(({ id, gpuIdxs }) => (gpuIdxs === null ? [] : [id]));
      expect(starts.map(({ job }) => job.id)).toEqual(inOrder);
    }),
    { numRuns: 10_000 },
  );
});

test("each GPU that a job might be given is told as free where it is, and there are too few of these", () => {
  fc.assert(
    fc.property(machines, (given) => {
      for (const { job, blocker } of explain(given)) {
        if (blocker?.kind !== "gpus_taken") continue;
        const free = blocker.candidates.filter(({ obstacle }) => obstacle === null);
        expect(free.length).toBeLessThan(job.numGpus);
      }
    }),
    { numRuns: 500 },
  );
});

const takeHead = (facts: QueueFacts, jobs: readonly QueuedJob[], limit: number | null): readonly QueuedJob[] => {
  if (limit === null) return [];
  const next = jobs.slice(limit).find((job) => isPassedOver(facts, job, MACHINE_TIME));
  return [...jobs.slice(0, limit), ...(next === undefined ? [] : [next])];
};

const readHead = (given: WaitFacts): readonly QueuedJob[] => {
  const states = describeMachine(given);
  const countStarts = limitStarts(createCountStarts(given, states), given, states);
  const ready = given.queued.filter((job) => findIneligibility(job, MACHINE_TIME) === null);
  const nameOf = (job: QueuedJob): string => nameNeed({ ...job, share: findShare(job), batch: findBatch(job) });
  const inOrder = ready.toSorted(createStartOrder(given.useOf ?? null));
  return [...Map.groupBy(inOrder, ({ user }) => user)].flatMap(([user, own]) =>
    [...Map.groupBy(own, nameOf)].flatMap(([name, jobs]) => takeHead(given, jobs, countStarts(parseNeed(name), user))),
  );
};

test("on any machine the same start where only the jobs are read on which a decision depends", () => {
  fc.assert(
    fc.property(machines, (given) => {
      expect(decide({ ...given, queued: readHead(given) })).toEqual([...decide(given)]);
    }),
    { numRuns: 2000 },
  );
});
