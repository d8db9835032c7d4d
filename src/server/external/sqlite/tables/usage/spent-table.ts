import type { Database } from "bun:sqlite";
import { collectInTurns, giveWay } from "../../../../../tools/give-way.ts";
import type { Judgeable } from "../../../../core/jobs/usage/held-estimates.ts";
import { countGpuSeconds, listStints, type SpentJob, type Window } from "../../../../core/jobs/usage/stints.ts";
import type { AddSpent, Store, UseAsked } from "../../../../core/store.ts";
import { guardPromise, guardRead } from "../../guard-reads.ts";
import { ACTIVE, BOOKED_GPUS, ENDED, QUEUED } from "../job-order.ts";
import type { SteadyReads } from "../steady-reads.ts";
import { SPENT_COLUMNS } from "./spent-index.ts";

type Row = Omit<SpentJob, "gpuIdxs" | "past"> & Readonly<{ gpuIdxs: string; past: string | null }>;
type OfUser = Readonly<{ user: string; since: number }>;

const TRIED = "details -> '$.past.attempts' is not null";

const GROUPS = {
  ended: `jobs indexed by jobs_spent where ${ENDED.where} and user = $user and completed_at > $since`,
  active: `jobs indexed by ${ACTIVE.indexes.all} where ${ACTIVE.where} and user = $user and $since is not null`,
  queued: `jobs indexed by jobs_tried where ${QUEUED.where} and ${TRIED} and user = $user and $since is not null`,
} as const;

const SELECT = `select ${SPENT_COLUMNS.map(([name, column]) => `${column} as "${name}"`).join(", ")} from`;

const USERS = `
with recursive enders(user) as (
  select min(user) from jobs indexed by jobs_spent where ${ENDED.where}
  union all
  select (select min(user) from jobs indexed by jobs_spent where ${ENDED.where} and user > enders.user) from enders where user is not null
)
select user from enders where user is not null
union select user from jobs indexed by ${ACTIVE.indexes.all} where ${ACTIVE.where}
union select user from jobs indexed by jobs_tried where ${QUEUED.where} and ${TRIED}`;

const PLAIN_SECONDS = `
select coalesce(sum(${BOOKED_GPUS} * max(0, min(completed_at, $until) - max(started_at, $since))), 0) as seconds from ${GROUPS.ended}
  and started_at is not null and details -> '$.past.attempts' is null and num_gpus > 0`;

const FIRST_START = "coalesce(details ->> '$.past.attempts[0].startedAt', started_at)";

const SELECT_ESTIMATED = `select details ->> '$.estimate.from' as "from", details ->> '$.estimate.to' as "to", ${FIRST_START} as "startedAt" from`;

const IS_ESTIMATED = `and details ->> '$.estimate.from' is not null and ${FIRST_START} is not null`;

const SLICE = 250;

const readIndexes = (text: string): readonly number[] => text.split(",").filter(Boolean).map(Number);

const toSpent = ({ gpuIdxs, past, ...row }: Row): SpentJob => ({
  ...row,
  gpuIdxs: readIndexes(gpuIdxs),
  past: past === null ? [] : (JSON.parse(past) as SpentJob["past"]),
});

const listUsers = (db: Database): readonly string[] =>
  db
    .query<{ user: string }, []>(USERS)
    .all()
    .map(({ user }) => user);

const listRows = function* <Read>(
  db: Database,
  { since, user: only }: UseAsked,
  describe: (group: string) => string,
): Generator<Read, void> {
  const users = only === undefined ? listUsers(db) : [only];
  for (const user of users)
    for (const group of Object.values(GROUPS)) yield* db.query<Read, OfUser>(describe(group)).iterate({ user, since });
};

const selectSpent = (group: string): string => `${SELECT} ${group}`;

const selectEstimated = (group: string): string => `${SELECT_ESTIMATED} ${group} ${IS_ESTIMATED}`;

const fold = async <Folded>(
  db: Database,
  asked: UseAsked,
  { first, add }: Readonly<{ first: Folded; add: AddSpent<Folded> }>,
): Promise<Folded> => {
  let folded = first;
  let slice: SpentJob[] = [];
  for (const row of listRows<Row>(db, asked, selectSpent)) {
    slice.push(toSpent(row));
    if (slice.length < SLICE) continue;
    folded = add(folded, slice);
    slice = [];
    await giveWay();
  }
  return add(folded, slice);
};

/** Adds up what jobs have had of the GPUs. */
export const createSpentReads = (
  db: Database,
  snapshots: SteadyReads,
): Pick<Store, "foldSpent" | "listEstimates" | "readGpuSeconds"> => {
  const plain = db.query<{ seconds: number }, OfUser & Pick<Window, "until">>(PLAIN_SECONDS);
  const others = [`${GROUPS.ended} and ${TRIED}`, GROUPS.active, GROUPS.queued].map((group) =>
    db.query<Row, OfUser>(selectSpent(group)),
  );
  return {
    foldSpent: (asked, first, add) => guardPromise(snapshots.read((snapshot) => fold(snapshot, asked, { first, add }))),
    listEstimates: (asked) =>
      guardPromise(snapshots.read((snapshot) => collectInTurns(listRows<Judgeable>(snapshot, asked, selectEstimated)))),
    readGpuSeconds: guardRead((user, window) => {
      const asked = { user, since: window.since };
      const jobs = others.flatMap((query) => query.all(asked).map(toSpent));
      return (
        countGpuSeconds(jobs.flatMap((job) => listStints(job, window))) +
        (plain.get({ ...asked, until: window.until })?.seconds ?? 0)
      );
    }),
  };
};
