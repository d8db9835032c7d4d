import { rememberText } from "../../../base/remember-each.ts";
import { createTurns } from "../../../tools/give-way.ts";
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

const createSpanOf = ({ listEarlierRuns }: Pick<Store, "listEarlierRuns">, now: number): SpanOf => {
  const readRuns = rememberText(listEarlierRuns);
  const known = new Map<JobId, Span>();
  return (job) => {
    const span = known.get(job.id) ?? foreseeSpan(job, readRuns(job.user), now);
    known.set(job.id, span);
    return span;
  };
};

type Starts = ReadonlyMap<JobId, number>;

const findStarts = async (scene: Scene, now: number, ids: ReadonlySet<JobId>): Promise<Starts> => {
  const found = new Map<JobId, number>();
  const takeTurn = createTurns();
  for (const starts of foreseeStarts(scene, now)) {
    for (const { id, at } of starts) if (ids.has(id)) found.set(id, at);
    if (found.size === ids.size) return found;
    await takeTurn();
  }
  return found;
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

const spanTimes = (one: number, other: number): WireEstimate => ({
  from: Math.ceil(Math.min(one, other)),
  to: Math.ceil(Math.max(one, other)),
});

/** When jobs would start if no other came, as short and as long as others may run; without those of which that is not known, or too far. */
export const estimateStarts = async (
  context: ApiContext,
  { facts, now }: Readonly<{ facts: WaitFacts; now: number }>,
  asked: readonly JobId[],
): Promise<ReadonlyMap<JobId, WireEstimate>> => {
  const queued = context.store.loadQueuedJobs({ limit: MOST_JOBS });
  const ids = new Set(queued.map(({ id }) => id).filter((id) => asked.includes(id)));
  if (facts.gpus === null || ids.size === 0) return new Map();
  const scene = createScene(context, facts, queued);
  const spanOf = createSpanOf(context.store, now);
  const late = await findStarts({ ...scene, lastsOf: (job) => spanOf(job).most }, now, ids);
  const early = await findStarts({ ...scene, lastsOf: (job) => spanOf(job).least }, now, new Set(late.keys()));
  return new Map([...late].map(([id, at]) => [id, spanTimes(early.get(id) ?? at, at)]));
};
