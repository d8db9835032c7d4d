import { existsSync, linkSync, mkdirSync, realpathSync, rmSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeError } from "../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../base/result.ts";
import { takeOver } from "./changes/take-over.ts";
import { orderTaken, type TakenJob, takeJob } from "./core/jobs/earlier/earlier-job.ts";
import { type EarlierRow, readRowText } from "./core/jobs/earlier/earlier-row.ts";
import type { ArtifactId } from "./core/jobs/job.ts";
import type { Store } from "./core/store.ts";
import { readClock } from "./create-parts.ts";
import { checkUnused, EARLIER_DATABASE } from "./external/earlier/find-database.ts";
import { describeGoneSession, type FoundSession, findEarlierSessions } from "./external/earlier/find-sessions.ts";
import { placeEarlierFolder } from "./external/earlier/place-folders.ts";
import { type EarlierDatabase, openEarlierDatabase } from "./external/earlier/read-database.ts";
import { openStore } from "./external/sqlite/open-store.ts";

/** `left` are the rows that can be no job here, and why; `living` counts the running jobs whose session lives. */
export type TakenOver = Readonly<{
  path: string;
  jobs: readonly TakenJob[];
  living: number;
  known: number;
  blacklist: readonly number[];
  left: readonly string[];
}>;

type Found = Result<TakenOver, Problem>;
type Sessions = ReadonlyMap<string, FoundSession>;
type Artifacts = ReadonlyMap<string, ArtifactId>;
type Reading = Readonly<{ rows: readonly EarlierRow[]; artifacts: Artifacts; sessions: Sessions; now: number }>;
type Read = Readonly<{ jobs: readonly TakenJob[]; left: readonly string[] }>;
type Place = Readonly<{ serverDir: string; path: string; store: Store; database: EarlierDatabase }>;

const ROOT = 0;

const listNeeded = (rows: readonly EarlierRow[]): ReadonlySet<string> =>
  new Set(rows.flatMap((row) => readRowText(row, "artifact_id") ?? []));

const copyArtifact = async ({ store, database }: Place, id: string, gitSha: string | null) => {
  const writer = store.artifacts.begin(gitSha);
  for (const part of database.readCode(id)) {
    const appended = await writer.append(part);
    if (appended.ok) continue;
    await writer.abort();
    return appended;
  }
  return writer.finish();
};

const copyArtifacts = async (place: Place, rows: readonly EarlierRow[]): Promise<Result<Artifacts, Problem>> => {
  const needed = listNeeded(rows);
  const copied = new Map<string, ArtifactId>();
  for (const { id, gitSha } of place.database.listArtifacts().filter((one) => needed.has(one.id))) {
    const artifact = await copyArtifact(place, id, gitSha);
    if (!artifact.ok) return err({ message: artifact.error.message });
    copied.set(id, artifact.value);
  }
  return ok(copied);
};

const readRow = (row: EarlierRow, { artifacts, sessions, now }: Reading): Result<TakenJob, Problem> => {
  const id = readRowText(row, "id") ?? "";
  return takeJob(row, {
    session: sessions.get(id) ?? null,
    describeGone: (pid, at) => describeGoneSession(id, { pid, at }, now),
    findArtifact: (artifact) => artifacts.get(artifact) ?? null,
    createdAt: now,
    now,
  });
};

const readRows = (reading: Reading): Read => {
  const jobs: TakenJob[] = [];
  const left: string[] = [];
  for (const row of reading.rows) {
    const taken = readRow(row, reading);
    if (taken.ok) jobs.push(taken.value);
    else left.push(`job ${JSON.stringify(row["id"])}: ${taken.error.message}`);
  }
  return { jobs: orderTaken(jobs), left };
};

const isAlive = ({ job }: TakenJob, sessions: Sessions): boolean => job.status === "running" && sessions.has(job.id);

const refuseOthers = (jobs: readonly TakenJob[], sessions: Sessions): string | null => {
  const own = process.getuid?.() ?? ROOT;
  const other = jobs.find((one) => isAlive(one, sessions) && own !== ROOT && sessions.get(one.job.id)?.uid !== own);
  if (other === undefined) return null;
  const uid = sessions.get(other.job.id)?.uid;
  return `job ${other.job.id} runs as uid ${uid}, whose jobs this server can't tend: take over into a server of that user`;
};

const write = async (place: Place, jobs: readonly TakenJob[], blacklist: readonly number[]) => {
  const unused = checkUnused(place.path);
  if (!unused.ok) return unused;
  const written = await place.store.write((transaction) => takeOver(transaction, { jobs, blacklist }));
  return written.ok ? written.value : err({ message: written.error.message });
};

const placeFolders = (serverDir: string, jobs: readonly TakenJob[], sessions: Sessions, undo: (() => void)[]): void => {
  for (const one of jobs) {
    const { job } = one;
    if (job.status === "queued" || job.status === "starting" || job.dir === null) continue;
    undo.push(placeEarlierFolder(serverDir, { ...job, dir: job.dir }, isAlive(one, sessions)));
  }
};

const placeAndWrite = async (place: Place, { jobs, left }: Read, sessions: Sessions): Promise<Found> => {
  const blacklist = place.store.listTakenOver() === null ? place.database.listBlacklisted() : [];
  const undo: (() => void)[] = [];
  let isDone = false;
  try {
    placeFolders(place.serverDir, jobs, sessions, undo);
    const written = await write(place, jobs, blacklist);
    isDone = written.ok;
    const living = jobs.filter((one) => isAlive(one, sessions)).length;
    return written.ok ? ok({ path: place.path, jobs, living, known: 0, blacklist, left }) : written;
  } finally {
    if (!isDone) for (const one of undo) one();
  }
};

const takeFrom = async (place: Place): Promise<Found> => {
  const known = place.store.listTakenOver() ?? new Set();
  const all = place.database.listRows();
  const rows = all.filter((row) => !known.has(String(row["id"])));
  const artifacts = await copyArtifacts(place, rows);
  if (!artifacts.ok) return artifacts;
  const now = readClock();
  const sessions = findEarlierSessions(now);
  const read = readRows({ rows, artifacts: artifacts.value, sessions, now });
  const refusal = refuseOthers(read.jobs, sessions);
  if (refusal !== null) return err({ message: refusal });
  const taken = await placeAndWrite(place, read, sessions);
  return taken.ok ? ok({ ...taken.value, known: all.length - rows.length }) : taken;
};

const openAndTake = async (path: string, serverDir: string, store: Store): Promise<Found> => {
  const scratch = join(serverDir, "earlier.part");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { mode: 0o700 });
  try {
    const database = openEarlierDatabase(path, scratch);
    if (!database.ok) return database;
    try {
      return await takeFrom({ serverDir, path, store, database: database.value });
    } finally {
      database.value.close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

const moveAside = (path: string, serverDir: string): string => {
  if (!existsSync(serverDir) || realpathSync(path) !== join(realpathSync(serverDir), "jobs.db")) return path;
  const aside = join(dirname(path), EARLIER_DATABASE);
  for (const suffix of ["-journal", "-wal", ""]) {
    if (!existsSync(path + suffix)) continue;
    linkSync(path + suffix, aside + suffix);
    unlinkSync(path + suffix);
  }
  return aside;
};

/**
 * Takes what the earlier Nexus has in the database at `path` over into a server's folder, which no server has at that time: all of it or, on
 * a failure, nothing. What was taken over before stays as it is here. The earlier database is only read; in the place of this server's own,
 * it gets the name that it had there.
 */
export const takeOverEarlier = async (path: string, serverDir: string): Promise<Found> => {
  try {
    mkdirSync(serverDir, { recursive: true, mode: 0o700 });
    const moved = moveAside(path, serverDir);
    const store = openStore({ serverDir, clock: readClock });
    if (!store.ok) return store;
    try {
      return await openAndTake(moved, serverDir, store.value);
    } finally {
      await store.value.close();
    }
  } catch (error) {
    return err({ message: `nothing was taken over: ${describeError(error)}` });
  }
};
