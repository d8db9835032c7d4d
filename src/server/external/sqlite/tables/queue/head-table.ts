import type { Database } from "bun:sqlite";
import { rememberText } from "../../../../../base/remember-each.ts";
import type { QueuedJob } from "../../../../core/jobs/job.ts";
import { parseNeed, type SharedNeed } from "../../../../core/queue/needs/need-name.ts";
import type { PassedOverSince } from "../../../../core/queue/patience/passed-over.ts";
import type { Store } from "../../../../core/store.ts";
import { QUEUED } from "../job-order.ts";
import { fromRow, type JobRow, ROW_COLUMNS } from "../job-row.ts";
import { rememberVersion } from "../version.ts";

type Group = Readonly<{ user: string; need: string; waitsSince: number }>;

type NeedyGroup = Group & Readonly<{ needs: SharedNeed }>;

type Heads = Readonly<{ asked: string; limit: number }>;

const READY = "indexed by jobs_ready where status = 'queued' and ready_at = 0";

const GROUPS = `select user, need, min(waits_since) as waitsSince from jobs ${READY} group by user, need`;

const ASKED = `with asked as materialized (select value ->> 0 as user, value ->> 1 as need, value ->> 2 as since from json_each($asked))`;

const OF_GROUP = `${READY} and user = asked.user and need = asked.need`;

const HEAD = `select seq from jobs ${OF_GROUP} order by ${QUEUED.order} limit $limit`;

const HEADS = `${ASKED}, heads as (select jobs.seq from asked join jobs on jobs.seq in (${HEAD}))
select ${ROW_COLUMNS} from jobs where seq in heads`;

const PASSED_OVER = `${ASKED}, firsts(seq) as (
  select (
    select seq from jobs ${OF_GROUP} and waits_since < asked.since and seq not in (${HEAD}) order by ${QUEUED.order} limit 1
  ) from asked
)
select ${ROW_COLUMNS} from jobs where seq in firsts`;

const writeAsked = (groups: readonly NeedyGroup[], since?: PassedOverSince): string =>
  JSON.stringify(groups.map(({ user, need, needs }) => [user, need, since?.(needs, user)]));

type Part = Readonly<{ groups: readonly NeedyGroup[]; limit: number; since: PassedOverSince }>;

const createPartReader = (db: Database): ((part: Part) => readonly JobRow[]) => {
  const heads = db.query<JobRow, Heads>(HEADS);
  const passedOver = db.query<JobRow, Heads>(PASSED_OVER);
  return ({ groups, limit, since }) => {
    const old = groups.filter(({ user, needs, waitsSince }) => waitsSince < since(needs, user));
    return [
      ...(limit === 0 ? [] : heads.all({ asked: writeAsked(groups), limit })),
      ...(old.length === 0 ? [] : passedOver.all({ asked: writeAsked(old, since), limit })),
    ];
  };
};

const createGroupReader = (db: Database): (() => readonly NeedyGroup[]) => {
  const groups = db.query<Group, []>(GROUPS);
  return rememberVersion(db, () => {
    const readNeed = rememberText(parseNeed);
    return groups.all().map((group) => ({ ...group, needs: readNeed(group.need) }));
  });
};

export const createHeadReader = (db: Database): Store["loadDecidingJobs"] => {
  const listGroups = createGroupReader(db);
  const readPart = createPartReader(db);
  return (countStarts, since) => {
    const asked = Map.groupBy(listGroups(), ({ user, needs }) => countStarts(needs, user));
    return [...asked].flatMap(([limit, groups]) =>
      limit === null ? [] : readPart({ groups, limit, since }).map((row) => fromRow(row) as QueuedJob),
    );
  };
};
