import { setImmediate as giveWay } from "node:timers/promises";
import type { WireEstimate } from "../../../wire/wait.ts";
import { readRules } from "../../changes/read-reserves.ts";
import type { ActiveJob, JobId, QueuedJob } from "../../core/jobs/job.ts";
import { foreseeSpan, type Span } from "../../core/queue/forecast/durations.ts";
import { foreseeStarts, type Scene } from "../../core/queue/forecast/foresee-starts.ts";
import { describeGpus } from "../../core/queue/gpu-selection.ts";
import { listMoments, markReserved, seeReserves } from "../../core/queue/reservations/reservation.ts";
import type { WaitFacts } from "../../core/queue/wait.ts";
import type { Store } from "../../core/store.ts";
import type { ApiContext } from "../context.ts";

const MOST_JOBS = 300;

type SpanOf = (job: ActiveJob | QueuedJob) => Span;

const rememberBy = <Value>(read: (key: string) => Value): ((key: string) => Value) => {
  const known = new Map<string, Value>();
  return (key) => {
    const value = known.get(key) ?? read(key);
    known.set(key, value);
    return value;
  };
};

const createSpanOf = ({ listEarlierRuns }: Pick<Store, "listEarlierRuns">, now: number): SpanOf => {
  const readRuns = rememberBy(listEarlierRuns);
  const known = new Map<JobId, Span>();
  return (job) => {
    const span = known.get(job.id) ?? foreseeSpan(job, readRuns(job.user), now);
    known.set(job.id, span);
    return span;
  };
};

const findStart = async (scene: Scene, now: number, id: JobId): Promise<number | null> => {
  for (const starts of foreseeStarts(scene, now)) {
    const found = starts.find((start) => start.id === id);
    if (found !== undefined) return found.at;
    await giveWay();
  }
  return null;
};

const createScene = (context: ApiContext, facts: WaitFacts, queued: readonly QueuedJob[]): Omit<Scene, "lastsOf"> => {
  const { store } = context;
  const [reservations, rules] = [store.listReservations(), readRules(context)];
  return {
    facts: { ...facts, queued },
    gpus: facts.gpus ?? [],
    see: (gpus, active, at) =>
      markReserved(describeGpus(gpus, active, facts.blacklist), seeReserves(reservations, rules, at)),
    useAt: store.readUseAt(),
    moments: listMoments(reservations, rules),
  };
};

/** When the job would start if no other came, as short and as long as others may run; null where that is not known, or too far. */
export const estimateStart = async (
  context: ApiContext,
  { facts, now }: Readonly<{ facts: WaitFacts; now: number }>,
  id: JobId,
): Promise<WireEstimate | null> => {
  const queued = context.store.loadQueuedJobs({ limit: MOST_JOBS });
  if (facts.gpus === null || !queued.some((job) => job.id === id)) return null;
  const scene = createScene(context, facts, queued);
  const spanOf = createSpanOf(context.store, now);
  const late = await findStart({ ...scene, lastsOf: (job) => spanOf(job).most }, now, id);
  if (late === null) return null;
  const early = await findStart({ ...scene, lastsOf: (job) => spanOf(job).least }, now, id);
  const times = [early ?? late, late];
  return { from: Math.ceil(Math.min(...times)), to: Math.ceil(Math.max(...times)) };
};
