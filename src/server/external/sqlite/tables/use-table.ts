import type { Database } from "bun:sqlite";
import type { Store } from "../../../core/store.ts";
import { ACTIVE, ENDED } from "./job-order.ts";

type Row = Readonly<{ user: string; jobs: number; gpuSeconds: number }>;
type Asked = Readonly<{ since: number; now: number; user: string | null }>;

const ENDED_OF_ONE = `indexed by ${ENDED.indexes.oneUser} where ${ENDED.where} and user = $user`;
const ENDED_OF_ALL = `indexed by ${ENDED.indexes.all} where ${ENDED.where} and $user is null`;

const selectUse = (ended: string): string => `
select user, count(*) as jobs, sum(num_gpus * max(0, ended_at - max(started_at, $since))) as gpuSeconds from (
  select user, num_gpus, started_at, completed_at as ended_at from jobs ${ended} and completed_at > $since
  union all
  select user, num_gpus, started_at, $now as ended_at from jobs indexed by ${ACTIVE.indexes.all}
    where ${ACTIVE.where} and ($user is null or user = $user)
) where started_at is not null group by user order by gpuSeconds desc, user`;

export const createUseReads = (db: Database): Pick<Store, "listGpuUse"> => {
  const ofOne = db.query<Row, Asked>(selectUse(ENDED_OF_ONE));
  const ofAll = db.query<Row, Asked>(selectUse(ENDED_OF_ALL));
  return {
    listGpuUse: ({ since, now, user = null }) => (user === null ? ofAll : ofOne).all({ since, now, user }),
  };
};
