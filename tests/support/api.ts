import { Database } from "bun:sqlite";
import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { err, ok, type Problem } from "../../src/base/result.ts";
import { type App, createApp } from "../../src/server/api/app.ts";
import type { ApiContext } from "../../src/server/api/context.ts";
import { createEventFeed } from "../../src/server/api/live/event-feed.ts";
import type { Wakes } from "../../src/server/changes/context.ts";
import type { Role } from "../../src/server/core/access/access.ts";
import type { Clock } from "../../src/server/core/clock.ts";
import type { AgentLimits } from "../../src/server/core/jobs/agent-limits.ts";
import { type EndedJob, type Job, type JobId, NO_OUTPUTS, type RunningJob } from "../../src/server/core/jobs/job.ts";
import { applyJobEvent } from "../../src/server/core/jobs/job-transition.ts";
import type { DiskRoom } from "../../src/server/core/machine/disk-room.ts";
import { JOB_CHANNELS } from "../../src/server/core/notices/channels.ts";
import type { Couriers } from "../../src/server/core/notices/courier.ts";
import type { Channel } from "../../src/server/core/notices/plan-notices.ts";
import type { Gpu, GpuProbe, GpuReading } from "../../src/server/core/queue/gpu.ts";
import { addFaults } from "../../src/server/core/queue/gpu-fault.ts";
import type { LogReads } from "../../src/server/core/running/executor.ts";
import type { Environment, Store } from "../../src/server/core/store.ts";
import type { Log } from "../../src/server/core/telemetry/log.ts";
import { createJobCourier } from "../../src/server/external/couriers/job-courier.ts";
import { createJobOutputs } from "../../src/server/external/job-folder/outputs/job-outputs.ts";
import { createUseFiles } from "../../src/server/external/job-folder/use/use-files.ts";
import { announceChanges } from "../../src/server/external/sqlite/announce-changes.ts";
import { addToken, revokeToken } from "../../src/server/external/sqlite/beside-server/tokens.ts";
import { openStore } from "../../src/server/external/sqlite/open-store.ts";
import { createMeter } from "../../src/server/external/telemetry/meter.ts";
import { digestText, drawToken } from "../../src/tools/digest.ts";
import type { JobRequestInput, WireJob } from "../../src/wire/job.ts";
import { holdToDocument } from "./declared-answers.ts";
import { createGpu as createSample } from "./samples.ts";

export type LogLine = Readonly<{ level: keyof Log; event: string; fields: Readonly<Record<string, unknown>> }>;

export type Harness = Readonly<{
  app: App;
  context: ApiContext;
  serverDir: string;
  store: Store;
  wakes: () => readonly (keyof Wakes)[];
  errors: readonly string[];
  lines: readonly LogLine[];
  removedFolders: readonly string[];
  keyOwners: readonly (string | null)[];
  call: (method: string, path: string, options?: CallOptions) => Promise<Response>;
  submit: (request?: Partial<JobRequestInput>) => Promise<WireJob>;
  retryJob: (id: string) => Promise<void>;
  startJob: (id: string, gpuIdxs?: readonly number[], startedAt?: number) => Promise<void>;
  endJob: (id: string, status?: EndedJob["status"], completedAt?: number) => Promise<void>;
  addToken: (name: string, role: Role, expiresAt?: number, limits?: AgentLimits) => string;
  revokeToken: (name: string) => void;
  uploadArtifact: (bytes?: Uint8Array, query?: string) => Promise<string>;
  countArtifacts: () => number;
  breakDisk: () => void;
  stop: () => void;
  setDiskRoom: (room: DiskRoom | null) => void;
  setTrouble: (text: string | null) => void;
  hideGpus: (error: Problem) => void;
  readEnv: (id: string) => Environment;
}>;

export type CallOptions = Readonly<{
  json?: unknown;
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  headers?: Readonly<Record<string, string | null>>;
  peer?: string;
  pendingRequests?: number;
}>;

export const TOKEN = "correct horse battery staple";

export const createGpu = (index: number, processes: readonly number[] = []): Gpu =>
  createSample(index, processes, { memoryUsed: 300, utilization: 5, temperature: 40, powerDraw: 55.5 });

const full = err({ kind: "unavailable", message: "The disk is full" } as const);

const failWhen = (store: Store, isBroken: () => boolean): Store => ({
  ...store,
  write: (change) => (isBroken() ? Promise.resolve(full) : store.write(change)),
  artifacts: {
    ...store.artifacts,
    begin: (gitSha, share) => {
      const writer = store.artifacts.begin(gitSha, share);
      return { ...writer, append: (chunk) => (isBroken() ? Promise.resolve(full) : writer.append(chunk)) };
    },
  },
});

const createTokens = (serverDir: string): Pick<Harness, "addToken" | "revokeToken"> => ({
  addToken: (name, role, expiresAt, limits) => {
    const token = drawToken();
    const kept = {
      name,
      role,
      digest: digestText(token),
      createdAt: 1,
      expiresAt: expiresAt ?? null,
      limits: limits ?? null,
    };
    const added = addToken(serverDir, kept);
    if (!added.ok) throw new Error(added.error.message);
    return token;
  },
  revokeToken: (name) => void revokeToken(serverDir, name),
});

const openTemporaryStore = (clock: Clock) => {
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-api-"));
  const opened = openStore({ serverDir, clock });
  if (!opened.ok) throw new Error(opened.error.message);
  const reader = new Database(join(serverDir, "jobs.db"), { readonly: true });
  onTestFinished(async () => {
    reader.close();
    await opened.value.close();
    rmSync(serverDir, { recursive: true });
  });
  const count = reader.query<{ rows: number }, []>("select count(*) as rows from artifacts");
  return {
    serverDir,
    store: opened.value,
    countArtifacts: () => count.get()?.rows ?? 0,
    tokens: createTokens(serverDir),
  };
};

const createHeaders = ({ json, headers = {} }: CallOptions): Headers => {
  const all = new Headers({ host: "localhost:54323" });
  if (json !== undefined) all.set("content-type", "application/json");
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) all.delete(name);
    else all.set(name, value);
  }
  return all;
};

const couriers: Couriers = {
  discord: createJobCourier(async ({ subject, channel, secrets }) =>
    ok({ reference: `${channel} ${subject.event} of ${subject.job.id} for ${secrets["DISCORD_USER_ID"]}` }),
  ),
  team: { deliver: async () => ok({ reference: null }) },
  broken: {
    deliver: async () =>
      err({ message: "Slack answered 404: no_service", isFinal: true, isUncertain: false, retryAfterS: null }),
  },
};

const digests: Channel = {
  name: "team",
  isWanted: ({ kind }) => kind === "batch",
  findDestination: () => "https://team.example",
};

const createLogs = (of = ""): LogReads => ({
  readTail: async (id, lines, since = null) =>
    new TextEncoder().encode(`tail of ${of}${id} ${lines}${since === null ? "" : ` since ${since}`}\n`),
  readErrors: async (id, lines) => new TextEncoder().encode(`errors of ${of}${id} ${lines}\n`),
  isRemoved: async (id) => id === "cleaned",
  knowsTimes: async () => true,
  resume: async (id, { lastLines, place }) => ({
    position: place?.from ?? 7,
    bytes: new Blob([`bytes of ${of}${id} ${lastLines} ${JSON.stringify(place)}\n`]).stream(),
  }),
  follow: (id, lines, ends) =>
    new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new TextEncoder().encode(`line of ${of}${id} ${lines}\n`));
        if (typeof ends === "function" ? ends() : ends.isLast(ends.first)) controller.close();
      },
    }),
});

/** With `probe` the GPUs are its own, not those given. */
export const createHarness = (
  gpus: readonly Gpu[] = [createGpu(0), createGpu(1)],
  probe: GpuProbe | null = null,
  settings: Partial<ApiContext["settings"]> = {},
): Harness => {
  const errors: string[] = [];
  const wakes: (keyof Wakes)[] = [];
  const lines: LogLine[] = [];
  const note =
    (level: keyof Log): Log["info"] =>
    (event, fields = {}) =>
      void lines.push({ level, event, fields });
  const removedFolders: string[] = [];
  const keys = new Set<string>();
  const keyOwners: (string | null)[] = [];
  let stopping = false;
  let ids = 0;
  let now = 1_700_000_000;
  let gpuError: Problem | null = null;
  let broken = false;
  let diskRoom: DiskRoom | null = null;
  let trouble: string | null = null;
  const clock = (): number => {
    now += 1;
    return now;
  };
  const { serverDir, store: opened, countArtifacts, tokens } = openTemporaryStore(clock);
  const feed = createEventFeed({ epoch: "epoch" });
  const store = announceChanges(
    failWhen(opened, () => broken),
    feed.publish,
  );
  const readGpus = (): GpuReading =>
    gpuError === null ? ok(addFaults(gpus, store.listGpuFaults(), now)) : err(gpuError);
  const context: ApiContext = {
    store,
    feed,
    executor: { attachCommand: () => [], fitCommand: () => [] },
    terminals: { open: () => err({ message: "there are no terminals here" }), run: async () => {} },
    gpus: probe ?? {
      isMock: false,
      read: async () => readGpus(),
      readNow: async () => readGpus(),
      readHint: () => null,
      stop: () => undefined,
    },
    logs: { ...createLogs(), ofAttempt: (attempt) => createLogs(`attempt ${attempt} of `), measure: async () => null },
    health: {
      read: async () => ({
        disk: { total: 100, used: 20, free: 80, percent_used: 20 },
        network: { download_speed: 100, upload_speed: 50, ping: 20 },
        system: { cpu_percent: 10, memory_percent: 10, uptime: 1000, load_avg: [0.1, 0.2, 0.3] },
      }),
    },
    useCourses: createUseFiles(serverDir),
    readDiskRoom: async () => diskRoom,
    trouble: { read: () => trouble },
    clock,
    meter: createMeter(),
    log: {
      debug: note("debug"),
      info: note("info"),
      warn: note("warn"),
      error: (event, fields = {}) => {
        errors.push(`${event} ${fields["error"]}`);
        note("error")(event, fields);
      },
    },
    findProcessOwner: async (pid) => (pid === 5 ? { user: "bob", program: "python", isOther: true } : null),
    jobDir: {
      pathOf: (id) => `/jobs/${id}`,
      list: async () => [],
      removeRepo: async () => {},
      remove: async (id) => void removedFolders.push(id),
    },
    outputs: createJobOutputs(serverDir),
    settings: {
      nodeName: "atlas",
      serverUser: "nexus",
      version: "1.2.3",
      allowedHosts: ["atlas", "Nexus.Example.com.", "10.0.0.7", "fd00:0::1"],
      local: { loopback: "anyone", isShared: false, owner: "nexus", roles: new Map() },
      maxCpuJobs: 2,
      maxPassedOver: 1800,
      ...{ maxQueued: 10_000, maxQueuedInAll: 50_000, maxWaitingGib: 2 },
      limits: { maxRequests: 100, maxFollowers: 5, maxFollowersPerAddress: 3, maxUploads: 3, bodyTimeout: 0.3 },
      ...settings,
    },
    tokenDigest: () => new Bun.CryptoHasher("sha256").update(TOKEN).digest("hex"),
    newJobId: () => `aaaaa${++ids}` as JobId,
    wakes: {
      running: () => void wakes.push("running"),
      queues: () => void wakes.push("queues"),
      outbox: () => void wakes.push("outbox"),
      outputs: () => void wakes.push("outputs"),
    },
    isStopping: () => stopping,
    channels: [...JOB_CHANNELS, digests],
    couriers,
    certificateExpiresAt: () => null,
    authorizedKeys: {
      register: async (key, owner) => {
        if (broken) return full;
        const status = keys.has(key.blob) ? "exists" : "registered";
        keys.add(key.blob);
        keyOwners.push(owner);
        return ok(status);
      },
    },
    ownChannels: ["team", "broken"],
  };
  const app = holdToDocument(createApp(context), context);
  const call: Harness["call"] = async (method, path, options = {}) => {
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const request = new Request(`http://localhost:54323${path}`, {
      method,
      headers: createHeaders(options),
      ...(body === undefined ? {} : { body }),
    });
    const { peer = "127.0.0.1", pendingRequests = 0 } = options;
    return app.fetch(request, { address: peer, pendingRequests });
  };
  const change = async (id: string, next: (job: Job) => Job): Promise<void> => {
    const written = await store.write((transaction) => {
      const job = transaction.findJob(id as JobId);
      if (job === null) throw new Error(`There is no job ${id}`);
      transaction.saveJob(next(job));
    });
    if (!written.ok) throw new Error(written.error.message);
  };
  const toRunning = (job: Job, gpuIdxs: readonly number[], startedAt: number): RunningJob => ({
    ...job,
    status: "running",
    startedAt,
    gpuIdxs,
    dir: `/jobs/${job.id}`,
    markedForKill: false,
    wandbUrl: null,
    notificationMessages: {},
    handle: { kind: "screen", session: `nexus_job_${job.id}`, pid: 4242, startTicks: 1, bootId: "boot" },
  });
  return {
    app,
    context,
    serverDir,
    store,
    errors,
    lines,
    removedFolders,
    keyOwners,
    wakes: () => wakes,
    call,
    submit: async (request = {}) => {
      const response = await call("POST", "/v1/jobs", {
        json: { command: "true", user: "ann", num_gpus: 0, ...request },
      });
      const body: unknown = await response.json();
      if (response.status !== 201) throw new Error(JSON.stringify(body));
      return body as WireJob;
    },
    retryJob: (id) =>
      change(id, (job) => {
        const failed = applyJobEvent(job, { kind: "exit", at: 1_700_000_600, exitCode: 1, cause: "exit" });
        if (!failed.ok) throw new Error(failed.error.message);
        return failed.value;
      }),
    startJob: (id, gpuIdxs = [], startedAt = 1_700_000_500) => change(id, (job) => toRunning(job, gpuIdxs, startedAt)),
    endJob: (id, status = "completed", completedAt = 1_700_000_900) =>
      change(id, (job) => ({
        ...toRunning(
          job,
          "gpuIdxs" in job ? job.gpuIdxs : [],
          ("startedAt" in job ? job.startedAt : null) ?? 1_700_000_500,
        ),
        status,
        completedAt,
        exitCode: 0,
        errorMessage: null,
        outputs: NO_OUTPUTS,
      })),
    uploadArtifact: async (bytes = new Uint8Array([1, 2, 3]), query = "") => {
      const response = await call("POST", `/v1/artifacts${query}`, { body: bytes as Uint8Array<ArrayBuffer> });
      const { data } = (await response.json()) as { data: string };
      return data;
    },
    countArtifacts,
    ...tokens,
    breakDisk: () => {
      broken = true;
    },
    stop: () => {
      stopping = true;
    },
    setTrouble: (text) => {
      trouble = text;
    },
    setDiskRoom: (room) => {
      diskRoom = room;
    },
    hideGpus: (error) => {
      gpuError = error;
    },
    readEnv: (id) => store.loadEnvironment(id as JobId),
  };
};
