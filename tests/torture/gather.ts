import { Database } from "bun:sqlite";
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type Arena, ask } from "./arena.ts";
import type { Evidence, StoredJob, WitnessLine } from "./evidence.ts";
import { readCommand } from "./jobs.ts";

type Row = Readonly<{
  id: string;
  status: string;
  priority: number;
  num_gpus: number;
  command: string;
  gpu_idxs: string;
  details: string;
  has_env: number;
  started_at: number | null;
  completed_at: number | null;
}>;

type Wire = Readonly<{
  id: string;
  status: string;
  command: string;
  priority: number;
  num_gpus: number;
  gpu_idxs: readonly number[];
  exit_code: number | null;
  error_message: string | null;
  env: Readonly<Record<string, string>>;
  started_at: number | null;
  completed_at: number | null;
  vram_mib: number | null;
}>;

const PAGE = 10_000;
const STATUSES = ["running", "queued", "completed", "failed", "killed"];

export const withDatabase = <Value>(arena: Pick<Arena, "serverDir">, read: (db: Database) => Value): Value => {
  const db = new Database(join(arena.serverDir, "jobs.db"), { readonly: true });
  try {
    db.exec("pragma busy_timeout = 5000");
    return read(db);
  } finally {
    db.close();
  }
};

const fromRow = (row: Row): StoredJob => {
  const details = JSON.parse(row.details) as {
    exitCode?: number | null;
    errorMessage?: string | null;
    vramMib?: number | null;
  };
  return {
    id: row.id,
    ...readCommand(row.command),
    status: row.status,
    exitCode: details.exitCode ?? null,
    errorMessage: details.errorMessage ?? null,
    priority: row.priority,
    numGpus: row.num_gpus,
    gpuIdxs: row.gpu_idxs.split(",").filter(Boolean).map(Number),
    hasEnvironment: row.has_env === 1,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    vramMib: details.vramMib ?? null,
  };
};

export const readStoredJobs = (arena: Pick<Arena, "serverDir">): readonly StoredJob[] =>
  withDatabase(arena, (db) =>
    db
      .query<Row, []>(
        `select id, status, priority, num_gpus, command, gpu_idxs, details, env is not null as has_env, started_at, completed_at
          from jobs`,
      )
      .all()
      .map(fromRow),
  );

const fromWire = (job: Wire): StoredJob => ({
  id: job.id,
  ...readCommand(job.command),
  status: job.status,
  exitCode: job.exit_code,
  errorMessage: job.error_message,
  priority: job.priority,
  numGpus: job.num_gpus,
  gpuIdxs: job.gpu_idxs,
  hasEnvironment: Object.keys(job.env).length > 0,
  startedAt: job.started_at,
  completedAt: job.completed_at,
  vramMib: job.vram_mib,
});

export const listJobs = async (arena: Arena, statuses: readonly string[]): Promise<readonly StoredJob[]> => {
  const jobs: StoredJob[] = [];
  const query = statuses.map((status) => `status=${status}`).join("&");
  for (;;) {
    const path = `/v1/jobs?${query}&limit=${PAGE}&offset=${jobs.length}`;
    const answer = await ask(arena, { method: "GET", path });
    if (answer?.status !== 200) throw new Error(`The jobs can't be listed: ${JSON.stringify(answer)}`);
    const page = (answer.body as readonly Wire[]).map(fromWire);
    jobs.push(...page);
    if (page.length < PAGE) return jobs;
  }
};

const parseLine = (line: string): WitnessLine => {
  const [kind, mark = "", second = "", third = "", fourth = "", fifth = "", sixth = "1"] = line.split(" ");
  switch (kind) {
    case "start":
      return {
        ...{ kind, mark, variant: Number(second), id: third, gpus: fourth.slice("gpus=".length) },
        ...{ at: Number(fifth), attempt: Number(sixth) },
      };
    case "end":
      return { kind, mark, code: Number(second), at: Number(third) };
    case "warned":
      return { kind, mark };
    case "clash":
      return { kind, mark, gpu: second };
    default:
      return { kind: "leak", mark, names: line };
  }
};

const readWitness = ({ witnessPath }: Arena): readonly WitnessLine[] =>
  existsSync(witnessPath)
    ? readFileSync(witnessPath, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map(parseLine)
    : [];

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

export type Left = Readonly<{ pid: number; job: string; command: string }>;

const describeProcess = ({ pid, job, command }: Left): string => `process ${pid} of ${job}: ${command}`;

const readCommandLine = (pid: string): string => readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();

/** Processes that carry the witness of this run, whatever they have become. */
export const listProcesses = ({ witnessPath }: Pick<Arena, "witnessPath">): readonly Left[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const environment = readIfThere(`/proc/${pid}/environ`);
      if (!environment.includes(`WITNESS=${witnessPath}\0`)) return [];
      const job = /NEXUS_JOB_ID=([^\0]*)/.exec(environment)?.[1] ?? "nobody";
      return [{ pid: Number(pid), job, command: readCommandLine(pid) }];
    });

const listSessions = (ids: ReadonlySet<string>): readonly string[] => {
  const { stdout } = spawnSync("screen", ["-ls"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => ids.has(/\.nexus_job_(\S+)/.exec(line)?.[1] ?? ""));
};

const listFolders = ({ serverDir }: Arena, ids: ReadonlySet<string>): readonly string[] => {
  const jobs = join(serverDir, "jobs");
  if (!existsSync(jobs)) return [];
  return readdirSync(jobs).flatMap((id) => [
    ...(ids.has(id) ? [] : [`folder of no job: ${id}, with ${readdirSync(join(jobs, id))}`]),
    ...["repo", "artifact", "attempts/1/repo"]
      .filter((name) => existsSync(join(jobs, id, name)))
      .map((name) => `${name} of ${id}`),
  ]);
};

const listKnownIds = ({ history }: Arena, stored: readonly StoredJob[]): ReadonlySet<string> =>
  new Set([
    ...stored.map(({ id }) => id),
    ...history.events.flatMap((event) => (event.kind === "submit" ? (event.ids ?? []) : [])),
  ]);

/** What should have gone with its job: processes, sessions with their sockets, working directories, folders. */
export const listLeftovers = (arena: Arena): readonly string[] => {
  const stored = readStoredJobs(arena);
  return [
    ...listProcesses(arena).map(describeProcess),
    ...listSessions(listKnownIds(arena, stored)).map((line) => `session ${line.trim()}`),
    ...listFolders(arena, new Set(stored.map(({ id }) => id))),
  ];
};

const readExitFiles = ({ serverDir }: Arena, jobs: readonly StoredJob[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    jobs
      .map(({ id }) => [id, join(serverDir, "jobs", id, "exit_code")] as const)
      .filter(([, path]) => existsSync(path))
      .map(([id, path]) => [id, readFileSync(path, "utf8").trim()]),
  );

const MADE = ["made/in-repo", "own", "own~1"];

const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

const listPlaces = (dir: string, attempt: number): readonly string[] => {
  const aside = join(dir, "attempts", String(attempt));
  const isLinked = look(join(aside, "outputs"))?.isSymbolicLink();
  return look(aside)?.isDirectory() && !isLinked ? [dir, aside] : [dir];
};

/** What each started job made: where it is now, and whose mark is in it. */
export const readMade = (arena: Arena): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    readWitness(arena).flatMap((line) => {
      if (line.kind !== "start") return [];
      const { attempt = 1 } = line;
      const label = attempt === 1 ? line.mark : `${line.mark}.${attempt}`;
      const paths = ["repo", "outputs"].flatMap((folder) => MADE.map((name) => `${folder}/${name}`));
      const found = listPlaces(join(arena.serverDir, "jobs", line.id), attempt).flatMap((place) =>
        paths.map((path) => [path, readIfThere(join(place, path)).trim()] as const),
      );
      return [[label, found.flatMap(([path, text]) => (text === label ? [`${path} ${text}`] : []))]];
    }),
  );

const listBooked = async (arena: Arena): Promise<readonly string[]> => {
  const answer = await ask(arena, { method: "GET", path: "/v1/gpus" });
  const gpus = (answer?.body ?? []) as readonly Readonly<{
    index: number;
    vram_booked_mib: number | null;
    job_ids: readonly string[];
  }>[];
  return gpus.flatMap(({ index, vram_booked_mib: booked, job_ids: ids }) =>
    ids.length > 0 || (booked ?? 0) > 0 ? [`${booked} MiB booked of GPU ${index}, by ${ids}`] : [],
  );
};

const readCounters = (arena: Arena): Readonly<Record<string, number>> =>
  withDatabase(arena, (db) => {
    const counters = db.query<{ status: string; jobs: number }, []>("select status, jobs from counters").all();
    return Object.fromEntries(counters.map(({ status, jobs }) => [status, jobs]));
  });

const readBlacklist = (arena: Arena): readonly number[] =>
  withDatabase(arena, (db) =>
    db
      .query<{ gpu_idx: number }, []>("select gpu_idx from blacklist")
      .all()
      .map((row) => row.gpu_idx),
  );

export const gatherEvidence = async (arena: Arena, leftovers: readonly string[]): Promise<Evidence> => {
  const database = readStoredJobs(arena);
  return {
    api: await listJobs(arena, STATUSES),
    database,
    counters: readCounters(arena),
    blacklist: readBlacklist(arena),
    witness: readWitness(arena),
    exitFiles: readExitFiles(arena, database),
    made: readMade(arena),
    leftovers: [...leftovers, ...(await listBooked(arena))],
  };
};
