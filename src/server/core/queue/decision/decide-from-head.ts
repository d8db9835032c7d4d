import { rememberEach } from "../../../../base/remember-each.ts";
import { findWaitsSince } from "../../jobs/fields/waits.ts";
import type { QueuedJob } from "../../jobs/job.ts";
import type { GpuState } from "../gpu-selection.ts";
import { type CountStartsOf, createCountStarts, limitStarts, nameNeed, nameNeedOf } from "../queue-head.ts";
import { decideStarts, findPassedOverSince, type QueueFacts, type Start } from "../queue-turns.ts";

/** Of each user's jobs with one need the first that this counts, and after them the first that was passed over; none where it is null. */
export type LoadHead = (count: CountStartsOf, passedOverSince: number) => readonly QueuedJob[];

/** `queued` are the jobs on which the decision depended. */
export type Decision = Readonly<{ queued: readonly QueuedJob[]; starts: readonly Start[] }>;

const GROWTH = 8;

const nameOnce = rememberEach(nameNeed);

const nameGroup = (user: string, need: string): string => `${need}${user}`;

const groupOf = (job: QueuedJob): string => nameGroup(job.user, nameNeedOf(job));

type Progress = Readonly<{ startsOf: (group: string) => number; keeping: ReadonlySet<string> }>;

const measureProgress = ({ queued, starts }: Decision, since: number): Progress => {
  const ids = new Set(starts.map(({ job }) => job.id));
  const started = Map.groupBy(starts, ({ job }) => groupOf(job));
  return {
    startsOf: (group) => started.get(group)?.length ?? 0,
    keeping: new Set(queued.filter((job) => !ids.has(job.id) && findWaitsSince(job) < since).map(groupOf)),
  };
};

const createReading = (count: CountStartsOf, { load, since }: Readonly<{ load: LoadHead; since: number }>) => {
  const headsOf = new Map<string, number>();
  const lacks = ({ startsOf, keeping }: Progress, group: string): number | null => {
    const heads = headsOf.get(group) ?? 1;
    if (startsOf(group) >= heads) return heads * GROWTH;
    return headsOf.has(group) || keeping.has(group) ? null : 0;
  };
  const cap = (progress: Progress, starts: number, group: string): number | null => {
    const heads = lacks(progress, group);
    if (heads === null) return null;
    headsOf.set(group, Math.max(1, heads));
    return Math.min(starts, heads);
  };
  const readMore = (progress: Progress): readonly QueuedJob[] =>
    load((need, user) => {
      const starts = count(need, user);
      return starts === null ? null : cap(progress, starts, nameGroup(user, nameOnce(need)));
    }, since);
  const readFirst = (): readonly QueuedJob[] =>
    load((need, user) => {
      const starts = count(need, user);
      return starts === null ? null : Math.min(starts, 1);
    }, Number.NEGATIVE_INFINITY);
  return { readFirst, readMore };
};

/** The same as over the whole queue, of which the heads are read first, and more only where all that was read of one starts. */
export const decideFromHead = (
  facts: Omit<QueueFacts, "queued">,
  gpus: readonly GpuState[],
  { now, load }: Readonly<{ now: number; load: LoadHead }>,
): Decision => {
  const since = findPassedOverSince(facts, now);
  const count = limitStarts(createCountStarts(facts, gpus), facts, gpus);
  const { readFirst, readMore } = createReading(count, { load, since });
  const decide = (queued: readonly QueuedJob[]): Decision => ({
    queued,
    starts: decideStarts({ ...facts, queued }, gpus, now),
  });
  let decision = decide(readFirst());
  for (;;) {
    const known = new Map(decision.queued.map((job) => [job.id, job]));
    const more = readMore(measureProgress(decision, since)).filter(({ id }) => !known.has(id));
    if (more.length === 0) return decision;
    decision = decide([...decision.queued, ...more]);
  }
};
