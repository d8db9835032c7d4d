import { describeGpus } from "./gpu-selection.ts";
import type { JobId } from "./job.ts";
import { type Action, decideEnding } from "./job-ending.ts";
import type { Gpu, Observation } from "./ports.ts";
import { listTurns, type QueueFacts, type Turn } from "./queue-turns.ts";

/** `killedSince` holds when TERM was first sent, in seconds. `gpus` is null while they can't be read. */
export type Snapshot = QueueFacts &
  Readonly<{
    observations: ReadonlyMap<JobId, Observation>;
    killedSince: ReadonlyMap<JobId, number>;
    gpus: readonly Gpu[] | null;
    blacklist: ReadonlySet<number>;
  }>;

const decideStart = ({ job, gpuIdxs }: Turn): readonly Action[] =>
  gpuIdxs === null ? [] : [{ kind: "start", job, gpuIdxs }];

/** What to do now: endings and kills of active jobs, then every start that the rules allow, in start order. */
export const decideActions = (snapshot: Snapshot, now: number): readonly Action[] => {
  const gpus = describeGpus(snapshot.gpus ?? [], snapshot.active, snapshot.blacklist);
  const endings = snapshot.active.flatMap((job) =>
    decideEnding(job, snapshot.observations.get(job.id), { now, killedSince: snapshot.killedSince.get(job.id) }),
  );
  return [...endings, ...listTurns(snapshot, gpus, now).flatMap(decideStart)];
};
