import { rememberEach } from "../../../../base/remember-each.ts";
import { findWaitsSince } from "../../jobs/fields/waits.ts";
import type { QueuedJob } from "../../jobs/job.ts";
import type { GpuState } from "../gpu-selection.ts";
import { nameNeed, nameNeedOf, type SharedNeed } from "../needs/need-name.ts";
import { type CountStartsOf, createCountStarts, limitStarts } from "../queue-head.ts";
import { decideStarts, findPassedOverSince, type QueueFacts, type Start } from "../queue-turns.ts";
import { findQuietEnd } from "./quiet.ts";

/** Of each user's jobs with one need the first that this counts, and after them the first that was passed over; none where it is null. */
export type LoadHead = (count: CountStartsOf, passedOverSince: number) => readonly QueuedJob[];

/** `queued` are the jobs on which the decision depended; `quietUntil` is as `findQuietEnd` says, null where something starts. */
export type Decision = Readonly<{ queued: readonly QueuedJob[]; starts: readonly Start[]; quietUntil: number | null }>;

type Decided = Omit<Decision, "quietUntil">;

const GROWTH = 8;

const nameOnce = rememberEach(nameNeed);

const nameGroup = (user: string, need: string): string => `${need}${user}`;

const groupOf = (job: QueuedJob): string => nameGroup(job.user, nameNeedOf(job));

type Progress = Readonly<{ startsOf: (group: string) => number; keeping: ReadonlySet<string> }>;

const measureProgress = ({ queued, starts }: Decided, since: number): Progress => {
  const ids = new Set(starts.map(({ job }) => job.id));
  const started = Map.groupBy(starts, ({ job }) => groupOf(job));
  return {
    startsOf: (group) => started.get(group)?.length ?? 0,
    keeping: new Set(queued.filter((job) => !ids.has(job.id) && findWaitsSince(job) < since).map(groupOf)),
  };
};

const createLacks = (): ((progress: Progress, group: string) => number | null) => {
  const headsOf = new Map<string, number>();
  const judge = ({ startsOf, keeping }: Progress, group: string): number | null => {
    const heads = headsOf.get(group) ?? 1;
    if (startsOf(group) >= heads) return heads * GROWTH;
    return headsOf.has(group) || keeping.has(group) ? null : 0;
  };
  return (progress, group) => {
    const heads = judge(progress, group);
    if (heads !== null) headsOf.set(group, Math.max(1, heads));
    return heads;
  };
};

const cap =
  (count: CountStartsOf, most: (need: SharedNeed, user: string) => number | null): CountStartsOf =>
  (need, user) => {
    const starts = count(need, user);
    const heads = starts === null ? null : most(need, user);
    return starts === null || heads === null ? null : Math.min(starts, heads);
  };

type Deciding = Readonly<{ count: CountStartsOf; since: number; load: LoadHead }>;

const decideInRounds = (
  { count, since, load }: Deciding,
  decide: (queued: readonly QueuedJob[]) => Decided,
): Decided => {
  const findLack = createLacks();
  let decided = decide(
    load(
      cap(count, () => 1),
      Number.NEGATIVE_INFINITY,
    ),
  );
  for (;;) {
    const known = new Set(decided.queued.map(({ id }) => id));
    const progress = measureProgress(decided, since);
    const lacks = cap(count, (need, user) => findLack(progress, nameGroup(user, nameOnce(need))));
    const more = load(lacks, since).filter(({ id }) => !known.has(id));
    if (more.length === 0) return decided;
    decided = decide([...decided.queued, ...more]);
  }
};

/** The same as over the whole queue, of which the heads are read first, and more only where all that was read of one starts. */
export const decideFromHead = (
  facts: Omit<QueueFacts, "queued">,
  gpus: readonly GpuState[],
  { now, load }: Readonly<{ now: number; load: LoadHead }>,
): Decision => {
  const needs = new Set<SharedNeed>();
  const limited = limitStarts(createCountStarts(facts, gpus), facts, gpus);
  const count: CountStartsOf = (need, user) => {
    needs.add(need);
    return limited(need, user);
  };
  const decided = decideInRounds({ count, since: findPassedOverSince(facts, now), load }, (queued) => ({
    queued,
    starts: decideStarts({ ...facts, queued }, gpus, now),
  }));
  const { queued, starts } = decided;
  return {
    ...decided,
    quietUntil: starts.length > 0 ? null : findQuietEnd({ ...facts, queued }, { needs: [...needs], gpus, now }),
  };
};
