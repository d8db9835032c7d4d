import type { Database } from "bun:sqlite";
import { type Drains, NO_DRAINS } from "../../../core/queue/drain.ts";
import type { GpuFault } from "../../../core/queue/gpu-fault.ts";
import type { Reservation } from "../../../core/queue/reservations/reservation.ts";
import type { Store, Transaction } from "../../../core/store.ts";
import type { GroupCommit } from "../group-commit.ts";
import { guardRead } from "../guard-reads.ts";

type Blacklist = Pick<Store, "listBlacklist"> & Pick<Transaction, "setBlacklisted">;

export const TOKEN_DIGEST = "token_digest";
const DISK_SPELL = "disk_spell";
const DRAINS = "drains";
export const TAKEN_OVER = "taken_over";

export const createBlacklist = (db: Database): Blacklist => {
  const all = db.query<{ gpu_idx: number }, []>("select gpu_idx from blacklist");
  const add = db.query("insert or ignore into blacklist values (?)");
  const remove = db.query("delete from blacklist where gpu_idx = ?");
  return {
    listBlacklist: () => new Set(all.all().map((row) => row.gpu_idx)),
    setBlacklisted: (gpuIdx, blacklisted) => (blacklisted ? add : remove).run(gpuIdx).changes > 0,
  };
};

export const createDiskSpell = (db: Database): Pick<Store, "isDiskSpell"> & Pick<Transaction, "setDiskSpell"> => {
  const find = db.query("select 1 from settings where name = ?");
  const add = db.query("insert or ignore into settings values (?, '')");
  const remove = db.query("delete from settings where name = ?");
  return {
    isDiskSpell: guardRead(() => find.get(DISK_SPELL) !== null),
    setDiskSpell: (isSpell) => (isSpell ? add : remove).run(DISK_SPELL).changes > 0,
  };
};

export const createDrains = (db: Database): Pick<Transaction, "readDrains" | "saveDrains"> => {
  const read = db.query<{ value: string }, [string]>("select value from settings where name = ?");
  const save = db.query("insert or replace into settings values (?, ?)");
  return {
    readDrains: () => {
      const stored = read.get(DRAINS);
      return stored === null ? NO_DRAINS : (JSON.parse(stored.value) as Drains);
    },
    saveDrains: (drains) => void save.run(DRAINS, JSON.stringify(drains)),
  };
};

type GpuFaults = Pick<Store, "listGpuFaults"> & Pick<Transaction, "saveGpuFault" | "deleteGpuFault">;

export const createGpuFaults = (db: Database): GpuFaults => {
  const all = db.query<GpuFault, []>(`select gpu_idx as "gpuIdx", uuid, text, at from gpu_faults`);
  const save = db.query("insert or replace into gpu_faults values (?, ?, ?, ?)");
  const remove = db.query("delete from gpu_faults where gpu_idx = ?");
  return {
    listGpuFaults: () => all.all(),
    saveGpuFault: ({ gpuIdx, uuid, text, at }) => void save.run(gpuIdx, uuid, text, at),
    deleteGpuFault: (gpuIdx) => void remove.run(gpuIdx),
  };
};

type Reservations = Pick<Transaction, "listReservations" | "insertReservation" | "deleteReservation">;
type ReservationRow = Omit<Reservation, "gpuIdxs"> & Readonly<{ gpuIdxs: string }>;

export const createReservations = (db: Database): Reservations => {
  const all = db.query<ReservationRow, []>(
    `select id, user, gpu_idxs as "gpuIdxs", begins_at as "from", ends_at as until, why from reservations`,
  );
  const insert = db.query("insert into reservations values (?, ?, ?, ?, ?, ?)");
  const remove = db.query("delete from reservations where id = ?");
  return {
    listReservations: () => all.all().map((row) => ({ ...row, gpuIdxs: JSON.parse(row.gpuIdxs) as readonly number[] })),
    insertReservation: ({ id, user, gpuIdxs, from, until, why }) =>
      void insert.run(id, user, JSON.stringify(gpuIdxs), from, until, why),
    deleteReservation: (id) => void remove.run(id),
  };
};

export const createTakenOver = (db: Database): Pick<Store, "listTakenOver"> & Pick<Transaction, "addTakenOver"> => {
  const read = db.query<{ value: string }, [string]>("select value from settings where name = ?");
  const save = db.query("insert or replace into settings values (?, ?)");
  const list = (): ReadonlySet<string> | null => {
    const stored = read.get(TAKEN_OVER);
    return stored === null ? null : new Set(JSON.parse(stored.value) as readonly string[]);
  };
  return {
    listTakenOver: guardRead(list),
    addTakenOver: (ids) => void save.run(TAKEN_OVER, JSON.stringify([...(list() ?? []), ...ids])),
  };
};

export const createTokenDigest = (
  db: Database,
  commits: GroupCommit,
): Pick<Store, "readTokenDigest" | "saveTokenDigest"> => {
  const read = db.query<{ value: string }, [string]>("select value from settings where name = ?");
  const save = db.query("insert or replace into settings values (?, ?)");
  return {
    readTokenDigest: guardRead(() => read.get(TOKEN_DIGEST)?.value ?? null),
    saveTokenDigest: (digest) => commits.write(() => void save.run(TOKEN_DIGEST, digest)),
  };
};
