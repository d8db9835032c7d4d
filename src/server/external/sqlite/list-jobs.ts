import type { Database } from "bun:sqlite";
import type { Job } from "../../core/job.ts";
import type { JobFilter } from "../../core/ports.ts";
import { ACTIVE, ENDED, type JobGroup, QUEUED } from "./job-order.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "./job-row.ts";

type Values = Record<string, string | number>;
type Selection = Readonly<{ from: string; order: string; values: Values }>;
type Candidate = Readonly<{ seq: number; command: string }>;

const chooseIndex = ({ indexes }: JobGroup, filter: JobFilter, statusCount: number): string => {
  if (filter.user !== undefined) return indexes.oneUser;
  return statusCount === 1 ? indexes.oneStatus : indexes.all;
};

const listConditions = (group: JobGroup, filter: JobFilter, statuses: readonly string[]): readonly string[] => [
  group.where,
  ...(statuses.length === group.statuses.length
    ? []
    : [`status in (${statuses.map((name) => `'${name}'`).join(", ")})`]),
  ...(filter.user === undefined ? [] : ["user = $user"]),
  ...(filter.gpuIndex === undefined ? [] : ["instr(gpu_idxs, $gpu) > 0"]),
];

const selectGroup = (group: JobGroup, filter: JobFilter): readonly Selection[] => {
  const statuses = group.statuses.filter((status) => filter.statuses?.includes(status) ?? true);
  if (statuses.length === 0) return [];
  const conditions = listConditions(group, filter, statuses).join(" and ");
  const values = {
    ...(filter.user === undefined ? {} : { user: filter.user }),
    ...(filter.gpuIndex === undefined ? {} : { gpu: `,${filter.gpuIndex},` }),
  };
  const index = chooseIndex(group, filter, statuses.length);
  return [{ from: `from jobs indexed by ${index} where ${conditions}`, order: `order by ${group.order}`, values }];
};

const countRows = (db: Database, { from, values }: Selection): number =>
  db.query<{ rows: number }, Values>(`select count(*) as rows ${from}`).get(values)?.rows ?? 0;

const loadPage = (db: Database, selections: readonly Selection[], { limit, offset }: JobFilter): readonly Job[] => {
  const found: JobRow[] = [];
  let skipped = 0;
  for (const selection of selections) {
    const { from, order, values } = selection;
    const page = db.query<JobRow, Values>(`select ${ROW_COLUMNS} ${from} ${order} limit $limit offset $offset`);
    const rows = page.all({ ...values, limit: limit - found.length, offset: offset - skipped });
    found.push(...rows);
    if (found.length === limit) break;
    skipped = found.length > 0 ? offset : Math.min(offset, skipped + countRows(db, selection));
  }
  return found.map(fromRow);
};

const findCandidates = function* (db: Database, selections: readonly Selection[]): Iterable<Candidate> {
  for (const { from, order, values } of selections) {
    yield* db.query<Candidate, Values>(`select seq, command ${from} ${order}`).iterate(values);
  }
};

const loadMatching = (
  db: Database,
  selections: readonly Selection[],
  { limit, offset, matchesCommand }: JobFilter,
): readonly Job[] => {
  const seqs = Iterator.from(findCandidates(db, selections))
    .filter(({ command }) => matchesCommand?.(command) ?? true)
    .drop(offset)
    .take(limit)
    .map(({ seq }) => seq)
    .toArray();
  const bySeq = db.query<JobRow, [number]>(`select ${ROW_COLUMNS} from jobs where seq = ?`);
  return seqs.flatMap((seq) => bySeq.get(seq) ?? []).map(fromRow);
};

/** One page: running, then queued, then ended jobs, each in its own order. */
export const listJobs = (db: Database, filter: JobFilter): readonly Job[] => {
  const selections = [ACTIVE, QUEUED, ENDED].flatMap((group) => selectGroup(group, filter));
  return filter.matchesCommand === undefined ? loadPage(db, selections, filter) : loadMatching(db, selections, filter);
};
