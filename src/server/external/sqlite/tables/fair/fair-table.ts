import type { Database } from "bun:sqlite";
import {
  addStretch,
  createUseOf,
  type KeptUse,
  rankUsers,
  type Stretch,
  type UseAt,
  type UseOf,
} from "../../../../core/queue/fair-share.ts";
import type { Store, Transaction } from "../../../../core/store.ts";
import { ACTIVE, BOOKED_GPUS, QUEUED } from "../job-order.ts";

/** Whether the order is by use, and after how many seconds use counts half. */
export type FairOptions = Readonly<{ isFair: boolean; halfLifeS: number; clock: () => number }>;

/** Jobs of the queue that go before those of the next part, in their own order. */
export type QueuePart = Readonly<{ priority: number; users: readonly string[] }>;

export type FairTable = Pick<Store, "readUseOf" | "readUseAt"> &
  Pick<Transaction, "chargeUse"> &
  Readonly<{ rankQueued: () => readonly (readonly string[])[] | null; listParts: () => Generator<QueuePart> | null }>;

const RUNNING = `select user, ${BOOKED_GPUS} as gpus, started_at as "from" from jobs indexed by ${ACTIVE.indexes.all}
  where ${ACTIVE.where} and num_gpus > 0`;

const LEVELS = `
with recursive levels(level) as (
  select max(priority) from jobs indexed by ${QUEUED.indexes.all} where ${QUEUED.where}
  union all
  select (select max(priority) from jobs indexed by ${QUEUED.indexes.all} where ${QUEUED.where} and priority < level)
  from levels where level is not null
)
select level as priority from levels where level is not null`;

const listParts = function* (
  levels: readonly Readonly<{ priority: number }>[],
  ranks: readonly (readonly string[])[],
): Generator<QueuePart, void> {
  for (const { priority } of levels) for (const users of ranks) yield { priority, users };
};

const createUse = (db: Database, { halfLifeS }: Pick<FairOptions, "halfLifeS">) => {
  const all = db.query<KeptUse, []>("select user, seconds, at from gpu_use");
  const one = db.query<KeptUse, [string]>("select user, seconds, at from gpu_use where user = ?");
  const save = db.query("insert or replace into gpu_use (user, seconds, at) values ($user, $seconds, $at)");
  const running = db.query<Omit<Stretch, "to">, []>(RUNNING);
  return {
    read: (now: number): UseOf => {
      const stretches = running.all().map((stretch) => ({ ...stretch, to: now }));
      return createUseOf(all.all(), stretches, { now, halfLifeS });
    },
    readAt: (): UseAt => {
      const kept = all.all();
      return (now, stretches) => createUseOf(kept, stretches, { now, halfLifeS });
    },
    charge: (stretch: Stretch): void => {
      const { user, from } = stretch;
      save.run(addStretch(one.get(user) ?? { user, seconds: 0, at: from }, stretch, halfLifeS));
    },
  };
};

export const createFairTable = (db: Database, { isFair, halfLifeS, clock }: FairOptions): FairTable => {
  const use = createUse(db, { halfLifeS });
  const queued = db.query<{ user: string }, []>("select user from queued_by_user");
  const levels = db.query<{ priority: number }, []>(LEVELS);
  const rank = (): readonly (readonly string[])[] =>
    rankUsers(
      queued.all().map(({ user }) => user),
      use.read(clock()),
    );
  return {
    readUseOf: (now) => (isFair ? use.read(now) : null),
    readUseAt: () => (isFair ? use.readAt() : null),
    rankQueued: () => (isFair ? rank() : null),
    listParts: () => (isFair ? listParts(levels.all(), rank()) : null),
    chargeUse: use.charge,
  };
};
