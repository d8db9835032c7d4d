import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Step } from "../../src/server/core/telemetry/steps.ts";
import { openStore } from "../../src/server/external/sqlite/open-store.ts";
import { pickPort } from "../support/pick-port.ts";
import { type Arena, sleep } from "./arena.ts";
import { checkMade, type Finding, findEarlyFindings, findFindings } from "./checker.ts";
import { killOnce, runClient, setBlacklisted, tell } from "./clients.ts";
import type { StoredJob } from "./evidence.ts";
import {
  gatherEvidence,
  type Left,
  listJobs,
  listLeftovers,
  listProcesses,
  readMade,
  readStoredJobs,
  withDatabase,
} from "./gather.ts";
import { createHistory, isAccepted, type RunOptions } from "./history.ts";
import { type Behaviour, codeOf, type JobPlan, renderHelpers } from "./jobs.ts";
import { createRandom, type Random } from "./random.ts";
import {
  type Death,
  describeDeath,
  drawDeath,
  LATE_STEPS,
  LIMIT_STEPS,
  listFirstDeaths,
  type ServerProcess,
  spawnServer,
} from "./server-process.ts";
import { drawStories, type Story } from "./stories.ts";

export type Outcome = Readonly<{
  findings: readonly Finding[];
  kills: number;
  jobs: number;
  steps: Readonly<Record<string, number>>;
  historyPath: string;
  folder: string;
}>;

type Report = (line: string) => void;

type State = {
  server: ServerProcess | null;
  up: PromiseWithResolvers<void>;
  isUp: boolean;
  isPaused: boolean;
  kills: number;
  stored: readonly StoredJob[];
  steps: Record<string, number>;
};

type Run = Readonly<{ arena: Arena; state: State; env: NodeJS.ProcessEnv; report: Report }>;

const START_LIMIT_MS = 20_000;
const STEP_PATIENCE_MS = 1000;
const LATE_STEP_PATIENCE_MS = 20_000;
const DRAIN_LIMIT_MS = 120_000;
const LEFTOVER_LIMIT_MS = 15_000;
const POLL_MS = 10;
const SLOW_POLL_MS = 200;
const KILL_ROUNDS = 20;
const SECONDS_A_MINUTE = 60;
const AN_HOUR_S = 3600;
const ENDED_OR_NOT = ["running", "queued"];

const isAnswering = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/v1/health`, { keepalive: false })).ok;
  } catch {
    return false;
  }
};

const addFinding = ({ arena, report }: Run, what: Finding): void => {
  arena.history.add({ kind: "finding", what });
  report(`FINDING ${what}`);
};

const waitUntilUp = async (run: Run, server: ServerProcess): Promise<boolean> => {
  const deadline = performance.now() + START_LIMIT_MS;
  while (server.isAlive()) {
    if (await isAnswering(run.arena.url)) return true;
    if (performance.now() > deadline) {
      addFinding(run, `no start: the server did not answer within ${START_LIMIT_MS} ms`);
      return false;
    }
    await sleep(POLL_MS);
  }
  return false;
};

const checkEarly = (run: Run): void => {
  const { arena, state } = run;
  const events = [...arena.history.events];
  const stored = readStoredJobs(arena);
  for (const finding of findEarlyFindings(events, state.stored, stored)) addFinding(run, finding);
  state.stored = stored;
};

const start = (run: Run, death: Death | null): ServerProcess => {
  const { arena, state, env } = run;
  const server = spawnServer(env, join(arena.folder, "server.log"), death);
  state.server = server;
  arena.history.add({ kind: "server", what: `pid ${server.child.pid} starts` });
  void waitUntilUp(run, server).then((isUp) => {
    if (!isUp || state.server !== server) return;
    checkEarly(run);
    state.isUp = true;
    state.up.resolve();
  });
  return server;
};

const recordEnd = (run: Run, server: ServerProcess, what: string): void => {
  const { arena, state } = run;
  if (state.isUp) state.up = Promise.withResolvers();
  state.isUp = false;
  state.server = null;
  arena.history.add({ kind: "server", what });
  for (const finding of checkMade(readMade(arena))) addFinding(run, finding);
  const { exitCode } = server.child;
  if (exitCode !== null && exitCode !== 0) addFinding(run, `ended by itself: the server, with exit code ${exitCode}`);
};

const endServer = async (run: Run, server: ServerProcess, name: "SIGKILL" | "SIGTERM"): Promise<void> => {
  const patience = setTimeout(() => {
    addFinding(run, "no stop: the server did not end within 20 s of TERM");
    server.signal("SIGKILL");
  }, START_LIMIT_MS);
  server.signal(name);
  await server.exited;
  clearTimeout(patience);
};

const liveAndDie = async (run: Run, death: Death, patienceMs: number = STEP_PATIENCE_MS): Promise<void> => {
  const { state } = run;
  const server = start(run, death);
  const waitMs = death.kind === "at a step" ? 2 * START_LIMIT_MS : death.afterMs;
  const isUp = state.up.promise.then(() => sleep(patienceMs));
  await Promise.race([server.exited, sleep(waitMs), ...(death.kind === "at a step" ? [isUp] : [])]);
  const isReached = !server.isAlive();
  await endServer(run, server, death.kind === "politely" ? "SIGTERM" : "SIGKILL");
  if (death.kind === "at a step" && isReached) state.steps[death.step] = (state.steps[death.step] ?? 0) + 1;
  if (death.kind !== "politely") state.kills += 1;
  recordEnd(
    run,
    server,
    `dies ${describeDeath(death)}${death.kind === "at a step" && !isReached ? ", not reached" : ""}`,
  );
};

const listPlans = ({ arena }: Run): ReadonlyMap<string, JobPlan> =>
  new Map(
    arena.history.events.flatMap((event) =>
      event.kind === "submit" ? event.jobs.map((job) => [job.mark, job] as const) : [],
    ),
  );

const isEndless = (plan: JobPlan): boolean => codeOf(plan, 0) === null && plan.behaviour.kind !== "limited";

const killEndless = async (run: Run, jobs: readonly StoredJob[], killed: Set<string>): Promise<void> => {
  const plans = listPlans(run);
  for (const { id, mark, status } of jobs) {
    const plan = plans.get(mark);
    if (status !== "running" || plan === undefined || !isEndless(plan) || killed.has(id)) continue;
    if (await killOnce(run.arena, mark, id)) killed.add(id);
  }
};

const waitForEnds = async (run: Run): Promise<void> => {
  const deadline = performance.now() + DRAIN_LIMIT_MS;
  const killed = new Set<string>();
  for (;;) {
    const left = await listJobs(run.arena, ENDED_OR_NOT);
    if (left.length === 0) return;
    if (performance.now() > deadline) return;
    await killEndless(run, left, killed);
    await sleep(SLOW_POLL_MS);
  }
};

const waitForLeftovers = async ({ arena }: Run): Promise<readonly string[]> => {
  const deadline = performance.now() + LEFTOVER_LIMIT_MS;
  for (;;) {
    const leftovers = listLeftovers(arena);
    if (leftovers.length === 0 || performance.now() > deadline) return leftovers;
    await sleep(SLOW_POLL_MS);
  }
};

const tellProgress = ({ arena, state, report }: Run, findings: number): void => {
  const steps = Object.values(state.steps).reduce((sum, count) => sum + count, 0);
  report(`${state.kills} kills (${steps} at a step), ${state.stored.length} jobs, ${findings} findings`);
  arena.history.add({ kind: "server", what: "drained and checked" });
};

const drainAndCheck = async (run: Run): Promise<number> => {
  await run.arena.whenUp();
  await setBlacklisted(run.arena, run.arena.options.gpus - 1, false);
  await waitForEnds(run);
  const leftovers = await waitForLeftovers(run);
  const evidence = await gatherEvidence(run.arena, leftovers);
  const findings = findFindings(run.arena.history.events, evidence);
  for (const finding of findings) addFinding(run, finding);
  run.state.stored = evidence.database;
  tellProgress(run, findings.length);
  return findings.length;
};

type Clients = readonly Iterator<Story>[];

const KILLS_OF_A_SHORT_RUN = 50;

const mayResist = ({ kills }: Pick<RunOptions, "kills">): boolean => kills > KILLS_OF_A_SHORT_RUN;

const createClients = ({ seed, clients, gpus, kills }: RunOptions): Clients =>
  Array.from({ length: clients }, (_, client) =>
    drawStories(createRandom(seed * 1000 + client + 1), {
      client,
      gpus,
      run: `t${seed}`,
      mayResist: mayResist({ kills }),
    }),
  );

const lacksJobs = ({ options, history }: Arena): boolean => {
  const accepted = history.events.filter((event) => event.kind === "submit" && isAccepted(event.answer));
  return accepted.length < options.leastJobs;
};

const hasRoom = ({ arena, state }: Run, deadline: number): boolean =>
  (state.kills < arena.options.kills || lacksJobs(arena)) && performance.now() < deadline;

const chooseDeath = (random: Random, kills: number, options: RunOptions): Death =>
  listFirstDeaths(mayResist(options))[kills] ?? drawDeath(random);

const createUrgent = ({ arena }: Run, behaviour: Behaviour): JobPlan => {
  const mark = `${behaviour.kind}-${arena.history.events.length}`;
  const needs = { jobId: `t${arena.options.seed}-${mark}`, numGpus: 0, gpuIdxs: [], priority: 9000, runNow: false };
  return { mark, behaviour, ...needs };
};

const killStubborn = (run: Run): Promise<unknown> =>
  tell(run.arena, { kind: "kill", job: createUrgent(run, { kind: "stubborn" }), delayMs: 0 });

const runOverLimit = (run: Run): Promise<unknown> =>
  tell(run.arena, {
    kind: "submit",
    job: createUrgent(run, { kind: "limited", limitS: 1, warnS: 1 }),
    isRepeated: false,
  });

const dieAtLateStep = (run: Run, step: Step): Promise<void> =>
  liveAndDie(run, { kind: "at a step", step, passes: 1 }, LATE_STEP_PATIENCE_MS);

const runStretch = async (run: Run, clients: Clients, random: Random, deadline: number): Promise<boolean> => {
  const { arena, state } = run;
  state.isPaused = false;
  const goal = state.kills + arena.options.killsBetweenDrains;
  const working: Promise<unknown>[] = clients.map((stories) => runClient(arena, stories));
  while ((state.kills < goal || lacksJobs(arena)) && hasRoom(run, deadline))
    await liveAndDie(run, chooseDeath(random, state.kills, arena.options));
  for (const step of LIMIT_STEPS) {
    working.push(runOverLimit(run));
    await dieAtLateStep(run, step);
  }
  for (const step of mayResist(arena.options) ? LATE_STEPS : []) {
    working.push(killStubborn(run));
    await dieAtLateStep(run, step);
  }
  state.isPaused = true;
  const server = start(run, null);
  const quiet = Promise.all(working).then(() => drainAndCheck(run));
  const count = await Promise.race([quiet, server.exited.then(() => null)]);
  await endServer(run, server, "SIGKILL");
  state.kills += 1;
  recordEnd(run, server, "dies at rest");
  if (count === null) addFinding(run, "ended by itself: the server, while jobs came to their ends");
  return count === 0;
};

const LOST_CODE = `select count(*) as n from jobs where artifact_id is not null
  and not exists (select 1 from artifacts where id = artifact_id and is_complete = 1)`;

const checkArtifacts = async (run: Run): Promise<void> => {
  const { arena } = run;
  const later = (): number => Date.now() / 1000 + AN_HOUR_S;
  const store = openStore({ serverDir: arena.serverDir, clock: later });
  if (!store.ok) return addFinding(run, `database can't be opened: ${store.error.message}`);
  const lost = withDatabase(arena, (db) => db.query<{ n: number }, []>(LOST_CODE).get());
  if (lost?.n !== 0) addFinding(run, `lost: the code of ${lost?.n} jobs`);
  await store.value.artifacts.deleteUnused({ expiry: Number.POSITIVE_INFINITY, maxBytes: 0 });
  await store.value.close();
  for (const table of ["artifacts", "artifact_chunks"]) {
    const left = withDatabase(arena, (db) => db.query<{ n: number }, []>(`select count(*) as n from ${table}`).get());
    if (left?.n !== 0) addFinding(run, `left over: ${left?.n} rows of ${table} after their grace`);
  }
  const problem = withDatabase(arena, (db) =>
    db.query<{ integrity_check: string }, []>("pragma integrity_check").get(),
  );
  if (problem?.integrity_check !== "ok") addFinding(run, `database damaged: ${problem?.integrity_check}`);
};

const setUp = async (options: RunOptions, report: Report): Promise<Run> => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-torture-"));
  const home = join(folder, "home");
  mkdirSync(home);
  const port = await pickPort();
  const serverDir = join(folder, "server");
  const state: State = {
    server: null,
    up: Promise.withResolvers(),
    isPaused: false,
    isUp: false,
    kills: 0,
    stored: [],
    steps: {},
  };
  const arena: Arena = {
    url: `http://127.0.0.1:${port}`,
    folder,
    serverDir,
    witnessPath: join(folder, "witness"),
    helpersPath: join(folder, "helpers.sh"),
    options,
    history: createHistory(join(folder, "history.jsonl")),
    whenUp: () => state.up.promise,
    isPaused: () => state.isPaused,
  };
  writeFileSync(arena.helpersPath, renderHelpers());
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    NS_SERVER_DIR: serverDir,
    NS_PORT: String(port),
    NS_MOCK_GPUS: String(options.gpus),
    NS_MIN_FREE_GB: "0",
    NS_REFRESH_RATE: "0.5",
    NS_MAX_CPU_JOBS: "6",
    NS_CPUS: "6",
  };
  arena.history.add({ kind: "run", options });
  return { arena, state, env, report };
};

const killThem = (processes: readonly Left[]): void => {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (!String(error).includes("ESRCH")) throw error;
    }
  }
};

const isScreen = ({ command }: Left): boolean => command.startsWith("SCREEN ");

const killProcesses = async ({ arena, state }: Run): Promise<void> => {
  state.server?.signal("SIGKILL");
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    const left = listProcesses(arena);
    if (left.length === 0) return;
    killThem(left.filter((one) => !isScreen(one) || round === KILL_ROUNDS - 1));
    await sleep(SLOW_POLL_MS);
  }
};

const listFindings = ({ arena }: Run): readonly Finding[] =>
  arena.history.events.flatMap((event) => (event.kind === "finding" ? [event.what] : []));

const torture = async (run: Run): Promise<void> => {
  const { options } = run.arena;
  const deadline = performance.now() + options.minutes * SECONDS_A_MINUTE * 1000;
  const clients = createClients(options);
  const random = createRandom(options.seed);
  while (hasRoom(run, deadline)) {
    if (!(await runStretch(run, clients, random, deadline))) return;
  }
  await checkArtifacts(run);
};

/** The plan depends on the options alone. The folder stays when something was found. */
export const runTorture = async (options: RunOptions, report: Report): Promise<Outcome> => {
  const run = await setUp(options, report);
  const { arena, state } = run;
  try {
    await torture(run);
  } catch (error) {
    addFinding(run, `not finished: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    await killProcesses(run);
  }
  const findings = listFindings(run);
  if (findings.length === 0) rmSync(arena.folder, { recursive: true, force: true });
  return {
    findings,
    kills: state.kills,
    jobs: state.stored.length,
    steps: state.steps,
    historyPath: arena.history.path,
    folder: arena.folder,
  };
};
