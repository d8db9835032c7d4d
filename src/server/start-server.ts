import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { fstatSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { describeError } from "../shared/describe-error.ts";
import { drawJobId } from "../shared/job-id.ts";
import { err, ok, type Result } from "../shared/result.ts";
import { IS_SINGLE_FILE } from "../shared/single-file.ts";
import { VERSION } from "../shared/version.ts";
import { createApp } from "./api/app.ts";
import type { ApiContext } from "./api/context.ts";
import { createEventFeed } from "./api/event-feed.ts";
import { digestToken, drawToken } from "./api-token.ts";
import type { Settings } from "./core/config.ts";
import { toRetention } from "./core/folder-plan.ts";
import type { JobId } from "./core/job.ts";
import { JOB_CHANNELS } from "./core/job-channels.ts";
import type { Meter } from "./core/meter.ts";
import type { Clock, Log, OnStep, Store, Wakes } from "./core/ports.ts";
import { createServerChannels } from "./core/server-channels.ts";
import type { AuthorizedKeys } from "./core/ssh-key.ts";
import { createCouriers } from "./create-couriers.ts";
import { createGpus, createHealth } from "./create-machine.ts";
import { announceChanges } from "./external/announce-changes.ts";
import { createAuthorizedKeys } from "./external/authorized-keys.ts";
import { createBackups } from "./external/backup-folder.ts";
import type { CertificateKeeper } from "./external/certificate-keeper.ts";
import { createJobDirectory } from "./external/job-directory.ts";
import { createJobFolders } from "./external/job-folders.ts";
import { listen } from "./external/listen.ts";
import { createLogFile } from "./external/log-file.ts";
import { watchEventLoop } from "./external/metrics/event-loop-lag.ts";
import { createMeter } from "./external/metrics/meter.ts";
import { createProcessOwners } from "./external/process-owner.ts";
import { returnMemory } from "./external/return-memory.ts";
import { createScreenExecutor } from "./external/screen/screen-executor.ts";
import { openStore } from "./external/sqlite/open-store.ts";
import { createTerminals } from "./external/terminals.ts";
import { createWandbFinder } from "./external/wandb.ts";
import { listHosts, openTls } from "./open-tls.ts";
import { type Scheduler, startScheduler } from "./scheduler/loop.ts";

export type RunningServer = Readonly<{ url: string; stop: () => Promise<void> }>;

/** What hears of the server's doings. */
export type Listeners = Readonly<{ log: Log; onStep?: OnStep | undefined }>;

type Reporting = Listeners & Readonly<{ meter: Meter }>;
type StartError = Readonly<{ message: string }>;

const EPOCH_BYTES = 6;
const SERVICE_TIMEOUT_MS = 10_000;

const locateProgram = (): readonly [string, ...string[]] =>
  IS_SINGLE_FILE ? [process.execPath] : [process.execPath, join(import.meta.dirname, "main.ts")];

const readClock: Clock = () => Date.now() / 1000;

const readUptime: Clock = () => performance.now() / 1000;

const proposeJobId = (): JobId => drawJobId(randomInt) as JobId;

const readServerUser = (): string => execFileSync("id", ["-un"], { encoding: "utf8" }).trim();

const ensureToken = async (store: Store, settings: Settings): Promise<Result<string | null, StartError>> => {
  const digest = settings.apiToken === null ? store.readTokenDigest() : digestToken(settings.apiToken);
  if (digest !== null && digest === store.readTokenDigest()) return ok(null);
  const token = settings.apiToken ?? drawToken();
  const saved = await store.saveTokenDigest(digestToken(token));
  if (!saved.ok) return err({ message: saved.error.message });
  return ok(settings.apiToken === null ? token : null);
};

const listChannels = ({ notify }: Settings): readonly string[] => [...JOB_CHANNELS, ...notify].map(({ name }) => name);

const openFolder = (settings: Settings, { meter, onStep }: Reporting): Result<Store, StartError> => {
  try {
    mkdirSync(settings.serverDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err({
      message: `${settings.serverDir} can't be made: ${describeError(error)}`,
    });
  }
  return openStore({ serverDir: settings.serverDir, clock: readClock, meter, onStep });
};

const createParts = (settings: Settings, opened: Store, reporting: Reporting) => {
  const feed = createEventFeed({ epoch: randomBytes(EPOCH_BYTES).toString("hex") });
  return { feed, store: announceChanges(opened, feed.publish), ...createOutside(settings, reporting) };
};

const createOutside = (
  settings: Settings,
  { log, meter, onStep }: Reporting,
  gpus = createGpus(settings.mockGpus),
) => ({
  log,
  meter,
  onStep,
  clock: readClock,
  terminals: createTerminals(),
  channels: [...JOB_CHANNELS, ...createServerChannels(settings.notify)],
  couriers: createCouriers(settings, readClock),
  executor: createScreenExecutor({ serverDir: settings.serverDir, onStep }),
  gpus,
  jobDirectory: createJobDirectory(settings.serverDir),
  health: createHealth(settings, gpus, readClock),
});

type Parts = ReturnType<typeof createParts> & Readonly<{ certificate: CertificateKeeper | null }>;
type Switches = Readonly<{ wakes: Wakes; isStopping: () => boolean }>;

const createKeys = ({ serverDir }: Settings): AuthorizedKeys =>
  createAuthorizedKeys({
    home: homedir(),
    program: [...locateProgram(), "attach-session", "--server-dir", resolve(serverDir)],
  });

const createApiContext = (settings: Settings, parts: Parts, switches: Switches): ApiContext => ({
  ...parts,
  ...switches,
  certificateExpiresAt: () => parts.certificate?.pair().facts.expiresAt ?? null,
  logs: createLogFile(settings.serverDir, () => parts.meter.addFollower("logs")),
  jobDir: parts.jobDirectory,
  findProcessOwner: createProcessOwners(),
  settings: {
    nodeName: settings.nodeName,
    serverUser: readServerUser(),
    version: VERSION,
    allowedHosts: listHosts(settings),
    trustLoopback: settings.trustLoopback,
    maxCpuJobs: settings.maxCpuJobs,
    maxPassedOver: settings.maxPassedOver,
    limits: settings,
  },
  tokenDigest: parts.store.readTokenDigest,
  newJobId: proposeJobId,
  couriers: parts.couriers,
  authorizedKeys: createKeys(settings),
  ownChannels: settings.notify.map(({ name }) => name),
});

const startJobs = (settings: Settings, parts: Parts): Promise<Scheduler> => {
  const serverEnvironment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const office = { couriers: parts.couriers, timeoutMs: SERVICE_TIMEOUT_MS, random: Math.random };
  const logs = createLogFile(settings.serverDir);
  return startScheduler(
    { ...parts, serverEnvironment, settings, uptime: readUptime, logs },
    {
      health: parts.health,
      wandb: createWandbFinder(),
      office,
      backups: createBackups({ serverDir: settings.serverDir, program: locateProgram() }),
      folders: createJobFolders(settings.serverDir),
      retention: toRetention(settings),
    },
  );
};

const STDERR = 2;
const TOKEN_HINT = "An API token was made, and is not shown where it would be kept: nexus-server token makes others\n";

const isKept = (fd: number): boolean => {
  const file = fstatSync(fd);
  return file.isFile() || process.env["JOURNAL_STREAM"] === `${file.dev}:${file.ino}`;
};

const announce = ({ log, certificate }: Parts, url: string, settings: Settings, token: string | null): void => {
  const { serverDir: server_dir, mockGpus: mock_gpus, socket } = settings;
  const more = {
    ...(socket === null ? {} : { socket }),
    ...(certificate === null ? {} : { certificate: certificate.pair().facts.fingerprint }),
  };
  log.info("listening", { url, ...more, server_dir, mock_gpus, version: VERSION });
  if (token !== null) process.stderr.write(isKept(STDERR) ? TOKEN_HINT : `API token (shown only once): ${token}\n`);
};

/** Opens the folder, restores its jobs, then listens. On a failure nothing is left open. */
export const startServer = async (
  settings: Settings,
  listeners: Listeners,
): Promise<Result<RunningServer, StartError>> => {
  const certificate = await openTls(settings, { log: listeners.log, clock: readClock });
  if (!certificate.ok) return certificate;
  const reporting = { ...listeners, meter: createMeter(listChannels(settings)) };
  const store = openFolder(settings, reporting);
  if (!store.ok) return store;
  return tryServe(settings, { ...createParts(settings, store.value, reporting), certificate: certificate.value });
};

const tryServe = async (settings: Settings, parts: Parts): Promise<Result<RunningServer, StartError>> => {
  try {
    const token = await ensureToken(parts.store, settings);
    if (token.ok) return await serve(settings, parts, token.value);
    await parts.store.close();
    return token;
  } catch (error) {
    return err({ message: describeError(error) });
  }
};

const createWakes = (find: () => Scheduler | null): Wakes => ({
  running: () => find()?.wakes.running(),
  queues: () => find()?.wakes.queues(),
  outbox: () => find()?.wakes.outbox(),
});

const serve = async (
  settings: Settings,
  parts: Parts,
  token: string | null,
): Promise<Result<RunningServer, StartError>> => {
  let scheduler: Scheduler | null = null;
  let isStopping = false;
  const wakes = createWakes(() => scheduler);
  const app = createApp(createApiContext(settings, parts, { wakes, isStopping: () => isStopping }));
  const http = await listen(settings, { ...parts, answer: app.fetch });
  if (!http.ok) {
    await parts.store.close();
    return http;
  }
  scheduler = await startJobs(settings, parts);
  const ends = [watchEventLoop(parts.meter.observeLag), returnMemory()];
  const { url } = http.value;
  announce(parts, url, settings, token);
  const stop = async (): Promise<void> => {
    isStopping = true;
    for (const end of ends) end();
    app.close();
    await scheduler?.stop();
    await http.value.stop();
    await parts.store.close();
  };
  return ok({ url, stop });
};
