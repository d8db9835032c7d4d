import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { checkFolder } from "../../../tools/check-folder.ts";
import type { Clock } from "../../core/clock.ts";
import { listArtifacts } from "../../core/jobs/job.ts";
import type { Store, Transaction } from "../../core/store.ts";
import type { OnStep } from "../../core/telemetry/steps.ts";
import { locateWaiting } from "./database-files.ts";
import { type CommitMeter, createGroupCommit, type GroupCommit } from "./group-commit.ts";
import { guardRead, guardSlices } from "./guard-reads.ts";
import { type FolderLock, lockFolder } from "./lock-folder.ts";
import { explainOpenFailure, openDatabase } from "./open-database.ts";
import { loadSecretBox, type SecretBox } from "./secret-box.ts";
import { createArtifactTable } from "./tables/artifact-table.ts";
import { createBatchList, createBatchReads } from "./tables/batch-list.ts";
import { createFairTable, type FairOptions, type FairTable } from "./tables/fair/fair-table.ts";
import { createJobTable, type JobTable } from "./tables/job-table.ts";
import { createNeeds } from "./tables/needs-table.ts";
import { createOutboxChanges, createOutboxReads } from "./tables/outbox-table.ts";
import { createEarlierRuns } from "./tables/queue/earlier-runs.ts";
import { createQueueReads, type QueueReads } from "./tables/queue/queue-table.ts";
import {
  createBlacklist,
  createDiskSpell,
  createDrains,
  createGpuFaults,
  createReservations,
  createTakenOver,
  createTokenDigest,
} from "./tables/settings-table.ts";
import { createTokenReads } from "./tables/token-table.ts";
import { createSpentReads } from "./tables/usage/spent-table.ts";
import { createVersionReader } from "./tables/version.ts";

/** `randomId` names artifacts. */
export type StoreOptions = Readonly<{
  serverDir: string;
  clock: Clock;
  randomId?: () => string;
  meter?: CommitMeter;
  onStep?: OnStep | undefined;
  fair?: Omit<FairOptions, "clock">;
}>;

type Parts = Readonly<{
  db: Database;
  jobs: JobTable;
  queue: QueueReads;
  fair: FairTable;
  lock: FolderLock;
  clock: Clock;
  randomId: () => string;
  commits: GroupCommit;
  box: SecretBox;
}>;

const ID_BYTES = 8;
const FIFO = { isFair: false, halfLifeS: 7 * 86_400 };

const createRandomId = (): string => randomBytes(ID_BYTES).toString("hex");

type Notes = ReturnType<typeof createBlacklist> &
  ReturnType<typeof createGpuFaults> &
  ReturnType<typeof createDiskSpell> &
  ReturnType<typeof createDrains> &
  ReturnType<typeof createReservations> &
  ReturnType<typeof createTakenOver>;

const createJobWrites = (jobs: JobTable) => ({
  findJob: jobs.find,
  saveJob: jobs.save,
  deleteJob: jobs.remove,
  loadEnvironment: jobs.loadEnvironment,
  saveEnvironment: jobs.saveEnvironment,
});

const createTransaction = ({ db, jobs, queue, fair, box }: Parts, notes: Notes): Transaction => {
  const artifact = db.query("select 1 from artifacts where id = ? and is_complete = 1");
  const claim = db.query("update artifacts set is_claimed = 1 where id = ? and is_claimed = 0");
  return {
    ...createJobWrites(jobs),
    countQueued: queue.countQueued,
    openTurns: queue.openTurns,
    readUse: queue.readUse,
    readHostUse: queue.readHostUse,
    chargeUse: fair.chargeUse,
    ...createNeeds(db),
    ...createBatchReads(db),
    hasArtifact: (id) => artifact.get(id) !== null,
    insertJob: (job, env) => {
      jobs.insert(job, env);
      for (const id of listArtifacts(job)) claim.run(id);
    },
    ...notes,
    outbox: createOutboxChanges(db, box),
  };
};

const createReads = (jobs: JobTable, queue: QueueReads) => ({
  findJob: guardRead(jobs.find),
  listJobs: guardSlices(jobs.list),
  loadQueuedJobs: guardRead(queue.loadQueuedJobs),
  loadDecidingJobs: guardRead(queue.loadDecidingJobs),
  isGpuJobReady: guardRead(queue.isGpuJobReady),
  readReadiness: guardRead(queue.readReadiness),
  countQueuedOf: guardRead(queue.countQueued),
  countQueuedBefore: guardRead(queue.countQueuedBefore),
  readNewestQueued: guardRead(queue.readNewestQueued),
  loadActiveJobs: guardRead(jobs.loadActive),
  findMovingJob: guardRead(jobs.findMoving),
  listExpiring: guardRead(jobs.listExpiring),
  findVramPeak: guardRead(jobs.findVramPeak),
  countJobs: guardRead(jobs.count),
  loadEnvironment: guardRead(jobs.loadEnvironment),
});

const createNotes = (db: Database): Notes => ({
  ...createBlacklist(db),
  ...createGpuFaults(db),
  ...createDiskSpell(db),
  ...createDrains(db),
  ...createReservations(db),
  ...createTakenOver(db),
});

const createNoteReads = (notes: Notes) => ({
  readDrains: guardRead(notes.readDrains),
  listReservations: guardRead(notes.listReservations),
  listBlacklist: guardRead(notes.listBlacklist),
  isDiskSpell: notes.isDiskSpell,
  listGpuFaults: guardRead(notes.listGpuFaults),
  listTakenOver: notes.listTakenOver,
});

const createTableReads = ({ db, jobs, fair }: Parts) => ({
  readVersion: guardRead(createVersionReader(db)),
  readUseOf: guardRead(fair.readUseOf),
  readUseAt: guardRead(fair.readUseAt),
  listEarlierRuns: guardRead(createEarlierRuns(db).listEarlierRuns),
  listBatches: guardRead(createBatchList(db).listBatches),
  listNeeds: guardRead(createNeeds(db).listNeeds),
  ...createSpentReads(db, jobs.snapshots),
});

const createStore = (parts: Parts): Store => {
  const { db, jobs, queue, lock, clock, randomId, commits, box } = parts;
  const notes = createNotes(db);
  const transaction = createTransaction(parts, notes);
  const close = async (): Promise<void> => {
    commits.close();
    jobs.snapshots.close();
    db.close();
    lock.release();
  };
  return {
    ...createReads(jobs, queue),
    ...createTokenDigest(db, commits),
    ...createTokenReads(db),
    ...createTableReads(parts),
    ...createNoteReads(notes),
    write: (change) => commits.write(() => change(transaction)),
    artifacts: createArtifactTable({ db, commits, clock, randomId }),
    outbox: createOutboxReads(db, box),
    close,
  };
};

const loadJobs = (db: Database, keyPath: string, fair: FairTable): Result<Pick<Parts, "jobs" | "box">, Problem> => {
  const box = loadSecretBox(keyPath);
  if (!box.ok) return box;
  const jobs = createJobTable(db, box.value, fair.listParts);
  if (jobs.canOpenEnvironments()) return ok({ jobs, box: box.value });
  const message = `${keyPath} is not the key that the environments of the waiting jobs were encrypted with`;
  return err({ message: `${message}: restore it from your backup` });
};

const refuseInterrupted = (serverDir: string): Result<void, Problem> =>
  existsSync(locateWaiting(serverDir))
    ? err({ message: `A restore in ${serverDir} was interrupted: run nexus-server restore again` })
    : ok(undefined);

const openLocked = (options: StoreOptions, lock: FolderLock): Result<Store, Problem> => {
  const { serverDir, clock, randomId = createRandomId, meter, onStep, fair: order = FIFO } = options;
  const path = join(serverDir, "jobs.db");
  const keyPath = join(serverDir, "secret.key");
  const refusal = refuseInterrupted(serverDir);
  if (!refusal.ok) return refusal;
  const db = openDatabase(path, onStep);
  if (!db.ok) return db;
  try {
    const fair = createFairTable(db.value, { ...order, clock });
    const jobs = loadJobs(db.value, keyPath, fair);
    const commits = createGroupCommit(db.value, { meter, onStep });
    const queue = createQueueReads(db.value, fair);
    if (jobs.ok) return ok(createStore({ ...jobs.value, queue, fair, db: db.value, lock, clock, randomId, commits }));
    db.value.close();
    return jobs;
  } catch (error) {
    db.value.close();
    return err({ message: explainOpenFailure(path, error) });
  }
};

/** Takes the folder for this process, opens its database and brings it to this program's schema. */
export const openStore = (options: StoreOptions): Result<Store, Problem> => {
  const folder = checkFolder(options.serverDir);
  if (!folder.ok) return folder;
  const lock = lockFolder(options.serverDir);
  if (!lock.ok) return lock;
  const store = openLocked(options, lock.value);
  if (!store.ok) lock.value.release();
  return store;
};
