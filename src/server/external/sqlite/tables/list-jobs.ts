import type { Database } from "bun:sqlite";
import { collectInTurns, giveWay } from "../../../../tools/give-way.ts";
import type { Job } from "../../../core/jobs/job.ts";
import type { JobFilter } from "../../../core/store.ts";
import type { FairTable, QueuePart } from "./fair/fair-table.ts";
import { ACTIVE, ENDED, type JobGroup, QUEUED } from "./job-order.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "./job-row.ts";
import type { SteadyReads } from "./steady-reads.ts";

type Values = Record<string, string | number>;
type Selection = Readonly<{ from: string; order: string; values: Values }>;
type Candidate = Readonly<{
  seq: number;
  command: string;
  name: string | null;
  note: string | null;
  exitCode: number | null;
}>;
/** `listParts` cuts the queue where its order is by use. */
export type Listing = Readonly<{ db: Database; snapshots: SteadyReads; listParts: FairTable["listParts"] }>;
type Slice = Readonly<{ jobs: readonly Job[]; seen: number }>;

const LABELS = "details ->> '$.name' as name, details ->> '$.note' as note";
const OF_BATCH = "details ->> '$.batchId' is not null and details ->> '$.batchId' = $batchId";
const OF_BATCH_INDEX = "jobs_by_batch";
const SLICE_JOBS = 100;
const SLICE_CHARACTERS = 256 * 1024;

const chooseIndex = ({ indexes }: JobGroup, filter: JobFilter, statusCount: number): string => {
  if (filter.batchId !== undefined) return OF_BATCH_INDEX;
  if (filter.user !== undefined) return indexes.oneUser;
  return statusCount === 1 ? indexes.oneStatus : indexes.all;
};

const listConditions = (group: JobGroup, filter: JobFilter, statuses: readonly string[]): readonly string[] => [
  group.where,
  ...(statuses.length === group.statuses.length
    ? []
    : [`status in (${statuses.map((name) => `'${name}'`).join(", ")})`]),
  ...(filter.user === undefined ? [] : ["user = $user"]),
  ...(filter.batchId === undefined ? [] : [OF_BATCH]),
  ...(filter.gpuIndex === undefined ? [] : ["instr(gpu_idxs, $gpu) > 0"]),
  ...(filter.endedSince === undefined ? [] : ["completed_at >= $since"]),
  ...(filter.endedUntil === undefined ? [] : ["completed_at <= $until"]),
];

const listValues = ({ user, batchId, gpuIndex, endedSince, endedUntil }: JobFilter): Values => ({
  ...(batchId === undefined ? {} : { batchId }),
  ...(user === undefined ? {} : { user }),
  ...(gpuIndex === undefined ? {} : { gpu: `,${gpuIndex},` }),
  ...(endedSince === undefined ? {} : { since: endedSince }),
  ...(endedUntil === undefined ? {} : { until: endedUntil }),
});

const isOfEnded = ({ endedSince, endedUntil, exitCode }: JobFilter): boolean =>
  [endedSince, endedUntil, exitCode].some((value) => value !== undefined);

const selectGroup = (group: JobGroup, filter: JobFilter): readonly Selection[] => {
  const statuses = group.statuses.filter((status) => filter.statuses?.includes(status) ?? true);
  if (statuses.length === 0 || (isOfEnded(filter) && group !== ENDED)) return [];
  const conditions = listConditions(group, filter, statuses).join(" and ");
  const index = chooseIndex(group, filter, statuses.length);
  const from = `from jobs indexed by ${index} where ${conditions}`;
  return [{ from, order: `order by ${group.order}`, values: listValues(filter) }];
};

const selectPart = (filter: JobFilter, { priority, users }: QueuePart): Selection => {
  const conditions = listConditions(QUEUED, filter, QUEUED.statuses).join(" and ");
  const [only] = users;
  const isOne = users.length === 1 && only !== undefined;
  const ofQueue = isOne ? QUEUED.indexes.oneUser : QUEUED.indexes.all;
  const index = filter.batchId === undefined ? ofQueue : OF_BATCH_INDEX;
  const whose = isOne ? "user = $only" : "user in (select value from json_each($users))";
  return {
    from: `from jobs indexed by ${index} where ${conditions} and priority = $priority and ${whose}`,
    order: `order by ${QUEUED.order}`,
    values: { ...listValues(filter), priority, ...(isOne ? { only } : { users: JSON.stringify(users) }) },
  };
};

const selectQueue = (filter: JobFilter, listParts: FairTable["listParts"]): readonly Selection[] => {
  const whole = selectGroup(QUEUED, filter);
  const parts = whole.length === 0 || filter.user !== undefined ? null : listParts();
  return parts === null ? whole : [...parts].map((part) => selectPart(filter, part));
};

const countRows = (db: Database, { from, values }: Selection): number =>
  db.query<{ rows: number }, Values>(`select count(*) as rows ${from}`).get(values)?.rows ?? 0;

const findPage = (db: Database, selections: readonly Selection[], { limit, offset }: JobFilter): readonly number[] => {
  const found: number[] = [];
  let skipped = 0;
  for (const selection of selections) {
    const { from, order, values } = selection;
    const page = db.query<Candidate, Values>(`select seq ${from} ${order} limit $limit offset $offset`);
    const rows = page.all({ ...values, limit: limit - found.length, offset: offset - skipped });
    for (const { seq } of rows) found.push(seq);
    if (found.length === limit) break;
    skipped = found.length > 0 ? offset : Math.min(offset, skipped + countRows(db, selection));
  }
  return found;
};

const findCandidates = function* (
  db: Database,
  selections: readonly Selection[],
  { exitCode }: JobFilter,
): Generator<Candidate> {
  const code = exitCode === undefined ? "null" : "json_extract(details, '$.exitCode')";
  for (const { from, order, values } of selections) {
    yield* db
      .query<Candidate, Values>(`select seq, command, ${LABELS}, ${code} as exitCode ${from} ${order}`)
      .iterate(values);
  }
};

const isMatching = ({ exitCode, ...texts }: Candidate, { matchesText, exitCode: wanted, name }: JobFilter): boolean =>
  (wanted === undefined || exitCode === wanted) &&
  (name === undefined || texts.name === name) &&
  (matchesText === undefined ||
    [texts.command, texts.name, texts.note].some((text) => text !== null && matchesText(text)));

const findMatching = function* (candidates: Iterable<Candidate>, filter: JobFilter): Generator<number | null> {
  const { limit, offset } = filter;
  if (limit === 0) return;
  let found = 0;
  for (const candidate of candidates) {
    const isMatch = isMatching(candidate, filter);
    if (isMatch) found += 1;
    yield isMatch && found > offset ? candidate.seq : null;
    if (found === offset + limit) return;
  }
};

const findOnSnapshot = (
  snapshots: SteadyReads,
  selections: readonly Selection[],
  filter: JobFilter,
): Promise<readonly number[]> =>
  snapshots.read((snapshot) => collectInTurns(findMatching(findCandidates(snapshot, selections, filter), filter)));

const loadSlice = (db: Database, seqs: readonly number[]): Slice => {
  const bySeq = db.query<JobRow, [number]>(`select ${ROW_COLUMNS} from jobs where seq = ?`);
  const jobs: Job[] = [];
  let seen = 0;
  let characters = 0;
  for (const seq of seqs) {
    const row = bySeq.get(seq);
    if (row !== null) jobs.push(fromRow(row));
    seen += 1;
    characters += row?.command.length ?? 0;
    if (characters > SLICE_CHARACTERS) break;
  }
  return { jobs, seen };
};

/**
 * One page, in slices: running, then queued, then ended jobs, each in its own order. Everything else has its turn
 * between the slices, and while commands are matched, which are those of one moment.
 */
export const listJobs = async function* (
  { db, snapshots, listParts }: Listing,
  filter: JobFilter,
): AsyncGenerator<readonly Job[], void> {
  const selections = [...selectGroup(ACTIVE, filter), ...selectQueue(filter, listParts), ...selectGroup(ENDED, filter)];
  const isSearch = [filter.matchesText, filter.exitCode, filter.name].some((one) => one !== undefined);
  const seqs = isSearch ? await findOnSnapshot(snapshots, selections, filter) : findPage(db, selections, filter);
  for (let from = 0; from < seqs.length; ) {
    const slice = loadSlice(db, seqs.slice(from, from + SLICE_JOBS));
    from += slice.seen;
    yield slice.jobs;
    await giveWay();
  }
};
