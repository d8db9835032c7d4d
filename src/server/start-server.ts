import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { fstatSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { describeError } from "../base/describe-error.ts";
import { parseDuration } from "../base/durations.ts";
import { err, ok, type Problem, type Result } from "../base/result.ts";
import { VERSION } from "../base/version.ts";
import { digestText, drawToken } from "../tools/digest.ts";
import { drawJobId } from "../wire/job-id.ts";
import { createApp } from "./api/app.ts";
import type { ApiContext, ApiSettings } from "./api/context.ts";
import type { Wakes } from "./changes/context.ts";
import { isLocalHost } from "./core/access/server-hosts.ts";
import type { AuthorizedKeys } from "./core/access/ssh-key.ts";
import type { JobId } from "./core/jobs/job.ts";
import { JOB_CHANNELS } from "./core/notices/channels.ts";
import { createHostRules, type HostRules } from "./core/queue/booking/host-part.ts";
import type { ReserveRules } from "./core/queue/reservations/reservation.ts";
import { createLimitsOf, type LimitsOf } from "./core/queue/user-limits.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { Store } from "./core/store.ts";
import { toRetention } from "./core/upkeep/folder-plan.ts";
import {
  createParts,
  type Listeners,
  locateProgram,
  type Parts,
  type Reporting,
  readClock,
  readUptime,
} from "./create-parts.ts";
import { createAuthorizedKeys } from "./external/access/authorized-keys.ts";
import { checkTls, listHosts, openTls } from "./external/certificate/open-tls.ts";
import { type Listening, listen } from "./external/http/listen.ts";
import { tellListening } from "./external/http/listening-file.ts";
import { createJobFolders } from "./external/job-folder/folder-sizes.ts";
import { createLogFile } from "./external/job-folder/log-file.ts";
import { createProcessOwners } from "./external/machine/process-owner.ts";
import { returnMemory } from "./external/machine/return-memory.ts";
import { createInputWaits } from "./external/screen/processes/input-waits.ts";
import { readBootTime } from "./external/screen/processes/process-table.ts";
import { createBackups } from "./external/sqlite/beside-server/backup-folder.ts";
import { watchNudges } from "./external/sqlite/beside-server/nudge.ts";
import { openStore } from "./external/sqlite/open-store.ts";
import { watchEventLoop } from "./external/telemetry/event-loop-lag.ts";
import { createMeter } from "./external/telemetry/meter.ts";
import { createWandbFinder } from "./external/wandb/wandb.ts";
import { type Alarms, createAlarms, createWakes, startTasks } from "./tasks/start-tasks.ts";

export type RunningServer = Readonly<{ url: string; stop: () => Promise<void> }>;
const ROOT = 0;
const ADMINISTRATOR = "the administrator (uid 0)";
const SERVICE_TIMEOUT_MS = 10_000;

const proposeJobId = (): JobId => drawJobId(randomInt) as JobId;

const readServerUser = (): string => execFileSync("id", ["-un"], { encoding: "utf8" }).trim();

const ensureToken = async (store: Store, settings: Settings): Promise<Result<string | null, Problem>> => {
  const digest = settings.apiToken === null ? store.readTokenDigest() : digestText(settings.apiToken);
  if (digest !== null && digest === store.readTokenDigest()) return ok(null);
  const token = settings.apiToken ?? drawToken();
  const saved = await store.saveTokenDigest(digestText(token));
  if (!saved.ok) return err({ message: saved.error.message });
  return ok(settings.apiToken === null ? token : null);
};

const listChannels = ({ notify }: Settings): readonly string[] => [...JOB_CHANNELS, ...notify].map(({ name }) => name);

const openFolder = (settings: Settings, { meter, onStep }: Reporting): Result<Store, Problem> => {
  try {
    mkdirSync(settings.serverDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err({
      message: `${settings.serverDir} can't be made: ${describeError(error)}; name a folder of yours as server_dir, or make room`,
    });
  }
  const { order, fairHalfLife, serverDir } = settings;
  const fair = { isFair: order === "fair", halfLifeS: parseDuration(fairHalfLife) ?? 0 };
  return openStore({ serverDir, clock: readClock, meter, onStep, fair });
};
type Switches = Readonly<{ wakes: Wakes; isStopping: () => boolean; serverUser: string }>;

const createKeys = ({ serverDir }: Settings): AuthorizedKeys =>
  createAuthorizedKeys({
    home: homedir(),
    program: [...locateProgram(), "attach-session", "--server-dir", resolve(serverDir)],
  });

type QueueRules = Readonly<{ host: HostRules; limitsOf: LimitsOf; reserveRules: ReserveRules }>;

const toQueueRules = (settings: Settings): QueueRules => ({
  host: createHostRules(settings),
  limitsOf: createLimitsOf(settings),
  reserveRules: { maxReserved: settings.maxReserved, marginS: parseDuration(settings.reserveMargin) ?? 0 },
});

const toApiSettings = (settings: Settings, serverUser: string): ApiSettings => ({
  nodeName: settings.nodeName,
  serverUser,
  version: VERSION,
  allowedHosts: listHosts(settings),
  local: {
    loopback: settings.trustLoopback,
    isShared: settings.socket !== null,
    owner: process.getuid?.() === ROOT ? ADMINISTRATOR : serverUser,
    roles: new Map(settings.users.map(({ name, role }) => [name, role])),
  },
  maxCpuJobs: settings.maxCpuJobs,
  maxPassedOver: settings.maxPassedOver,
  maxQueued: settings.maxQueued,
  maxQueuedInAll: settings.maxQueuedInAll,
  ...toQueueRules(settings),
  maxWaitingGib: settings.maxWaitingGib,
  limits: settings,
});

const createApiContext = (settings: Settings, parts: Parts, { serverUser, ...switches }: Switches): ApiContext => ({
  ...parts,
  ...switches,
  certificateExpiresAt: () => parts.certificate?.pair().facts.expiresAt ?? null,
  logs: createLogFile(settings.serverDir, () => parts.meter.addFollower("logs")),
  jobDir: parts.jobDirectory,
  findProcessOwner: createProcessOwners(),
  settings: toApiSettings(settings, serverUser),
  tokenDigest: parts.store.readTokenDigest,
  newJobId: proposeJobId,
  couriers: parts.couriers,
  authorizedKeys: createKeys(settings),
  ownChannels: settings.notify.map(({ name }) => name),
});

const startJobs = (
  settings: Settings,
  parts: Parts & Readonly<{ wakes: Wakes }>,
  alarms: Alarms,
): Promise<() => Promise<void>> => {
  const serverEnvironment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const office = { couriers: parts.couriers, timeoutMs: SERVICE_TIMEOUT_MS, random: Math.random };
  const logs = createLogFile(settings.serverDir);
  const ruled = { ...settings, ...toQueueRules(settings) };
  return startTasks({ ...parts, serverEnvironment, settings: ruled, uptime: readUptime, readBootTime, logs }, alarms, {
    health: parts.health,
    wandb: createWandbFinder(),
    findInputWaits: createInputWaits(settings.serverDir),
    office,
    backups: createBackups({ serverDir: settings.serverDir, program: locateProgram() }),
    folders: createJobFolders(settings.serverDir),
    retention: toRetention(settings),
  });
};

const STDERR = 2;
const TOKEN_HINT = "An API token was made, and is not shown where it would be kept: nexus-server token makes others\n";

const isKept = (fd: number): boolean => {
  const file = fstatSync(fd);
  return file.isFile() || process.env["JOURNAL_STREAM"] === `${file.dev}:${file.ino}`;
};

const warn = ({ log, certificate }: Parts, { host, trustLoopback, users, socket }: Settings): void => {
  if (certificate === null && !isLocalHost(host))
    log.warn("insecure_http: whoever is between reads and changes what is sent, tokens too", { host });
  if (trustLoopback === "anyone")
    log.warn("trust_loopback = anyone: every user of this machine, and who comes through one, is an admin", {});
  if (socket === null && users.length > 0)
    log.warn("users are named, but this server lets in its own user alone: set socket", {});
};

const announce = (parts: Parts, settings: Settings, { urls, socket }: Listening, token: string | null): void => {
  const { log, certificate } = parts;
  const { serverDir: server_dir, mockGpus: mock_gpus } = settings;
  const pinned = certificate === null ? {} : { certificate: certificate.pair().facts.fingerprint };
  log.info("listening", { url: urls[0], urls, socket, ...pinned, server_dir, mock_gpus, version: VERSION });
  warn(parts, settings);
  if (token !== null) process.stderr.write(isKept(STDERR) ? TOKEN_HINT : `API token (shown only once): ${token}\n`);
};

/** Opens the folder, restores its jobs, then listens. On a failure nothing is left open. */
export const startServer = async (
  settings: Settings,
  listeners: Listeners,
): Promise<Result<RunningServer, Problem>> => {
  const tls = checkTls(settings);
  if (!tls.ok) return tls;
  const reporting = { ...listeners, meter: createMeter(listChannels(settings), readClock()) };
  const store = openFolder(settings, reporting);
  if (!store.ok) return store;
  const served = await tryServe(settings, store.value, reporting);
  if (!served.ok) await store.value.close();
  return served;
};

const tryServe = async (
  settings: Settings,
  store: Store,
  reporting: Reporting,
): Promise<Result<RunningServer, Problem>> => {
  try {
    const certificate = await openTls(settings, { log: reporting.log, clock: readClock });
    if (!certificate.ok) return certificate;
    const token = await ensureToken(store, settings);
    if (!token.ok) return token;
    const parts = createParts(settings, { store, certificate: certificate.value }, reporting);
    return await serve(settings, parts, token.value);
  } catch (error) {
    return err({ message: describeError(error) });
  }
};

const serve = async (
  settings: Settings,
  parts: Parts,
  token: string | null,
): Promise<Result<RunningServer, Problem>> => {
  let isStopping = false;
  const alarms = createAlarms();
  const wakes = createWakes(alarms);
  const serverUser = readServerUser();
  const app = createApp(createApiContext(settings, parts, { wakes, isStopping: () => isStopping, serverUser }));
  const listening = await listen(settings, { ...parts, answer: app.fetch, serverUser });
  if (!listening.ok) return listening;
  const stopTasks = await startJobs(settings, { ...parts, wakes }, alarms);
  const ends = [watchEventLoop(parts.meter.observeLag), returnMemory(), watchNudges(settings.serverDir, wakes.queues)];
  const untell = tellListening(settings.serverDir, listening.value);
  announce(parts, settings, listening.value, token);
  const stop = async (): Promise<void> => {
    isStopping = true;
    for (const end of [...ends, app.close, parts.gpus.stop]) end();
    await stopTasks();
    await listening.value.stop();
    untell();
    await parts.store.close();
  };
  return ok({ url: listening.value.urls[0] ?? "", stop });
};
