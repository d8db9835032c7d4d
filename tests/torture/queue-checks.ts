import type { StoredJob, WitnessLine } from "./evidence.ts";
import { type Event, isAccepted } from "./history.ts";
import type { JobPlan } from "./jobs.ts";

type ById = ReadonlyMap<string, StoredJob>;
type Seen = Readonly<{ lines: readonly WitnessLine[]; byId: ById }>;
type Span = Readonly<{ from: number; to: number }>;

const CLOCK_HAIR_S = 0.01;

const describe = ({ mark, id, status, errorMessage }: StoredJob): string =>
  `${mark} (${id}, ${status}, ${errorMessage ?? "no error"})`;

const listNeeded = (ids: readonly string[] | undefined, byId: ById): readonly StoredJob[] =>
  (ids ?? []).flatMap((id) => byId.get(id) ?? []);

/** Whether one that has to complete before it has not. */
export const isAbandoned = ({ after }: JobPlan, byId: ById): boolean =>
  listNeeded(after, byId).some(({ status }) => status === "failed" || status === "killed");

const wasLeftOut = ({ status, startedAt, errorMessage }: StoredJob): boolean =>
  status === "failed" && startedAt === null && errorMessage?.includes("which it waits for") === true;

/** Nothing runs after one that failed, nor before those that it waits for. */
export const checkNeeds = (plan: JobPlan, job: StoredJob, { lines, byId }: Seen): readonly string[] => {
  const isStarted = lines.some(({ kind }) => kind === "start");
  if (isAbandoned(plan, byId)) {
    if (isStarted) return [`ran after one that failed: ${describe(job)}`];
    return wasLeftOut(job) ? [] : [`not failed with what it waits for: ${describe(job)}`];
  }
  return listNeeded([...(plan.after ?? []), ...(plan.afterAny ?? [])], byId).flatMap((needed) =>
    (job.startedAt ?? Number.POSITIVE_INFINITY) < (needed.completedAt ?? 0) - CLOCK_HAIR_S
      ? [`started before what it waits for: ${describe(job)}, ${describe(needed)}`]
      : [],
  );
};

const toSpans = (lines: readonly WitnessLine[], job: StoredJob | undefined): readonly Span[] => {
  const ends = lines.flatMap((line) => (line.kind === "end" ? [line.at] : []));
  const starts = lines.flatMap((line) => (line.kind === "start" ? [line.at] : []));
  return starts.map((from, index) => ({ from, to: ends[index] ?? job?.completedAt ?? from }));
};

const countMost = (spans: readonly Span[]): number =>
  Math.max(0, ...spans.map((one) => spans.filter(({ from, to }) => from <= one.from && to > one.from).length));

/** Never more jobs of a batch at once than it allows. */
export const checkBatches = (
  history: readonly Event[],
  {
    stored,
    witness,
  }: Readonly<{
    stored: ReadonlyMap<string, readonly StoredJob[]>;
    witness: ReadonlyMap<string, readonly WitnessLine[]>;
  }>,
): readonly string[] =>
  history.flatMap((event) => {
    if (event.kind !== "submit" || typeof event.batchMax !== "number") return [];
    const marks = event.jobs.map(({ mark }) => mark);
    const most = countMost(marks.flatMap((mark) => toSpans(witness.get(mark) ?? [], stored.get(mark)?.[0])));
    return most > event.batchMax ? [`too many of a batch: ${most} at once of ${marks}, limit ${event.batchMax}`] : [];
  });

const listDrains = (history: readonly Event[]): readonly Span[] => {
  const spans: Span[] = [];
  let since: number | null = null;
  for (const event of history) {
    if (event.kind !== "drain") continue;
    if (since !== null && !event.isDrained) spans.push({ from: since, to: event.askedAt });
    since = event.isDrained && isAccepted(event.answer) ? event.answeredAt : null;
  }
  return spans;
};

/** Nothing starts while the server is drained. */
export const checkDrains = (history: readonly Event[], stored: readonly StoredJob[]): readonly string[] =>
  listDrains(history).flatMap(({ from, to }) =>
    stored
      .filter(({ startedAt }) => startedAt !== null && startedAt > from && startedAt < to)
      .map((job) => `started while drained: ${describe(job)}`),
  );
