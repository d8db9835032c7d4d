import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem, Result } from "../src/base/result.ts";
import {
  type ArtifactId,
  type EndedJob,
  isEnded,
  type Job,
  type JobId,
  NO_OUTPUTS,
  type QueuedJob,
  type RunningJob,
  type StartingJob,
  UNKNOWN_CODE,
} from "../src/server/core/jobs/job.ts";
import type { JobNews } from "../src/server/core/notices/news.ts";
import type { KeptSubject, Notice, OutboxChanges, OutboxMessage } from "../src/server/core/notices/outbox.ts";
import type { GpuFault } from "../src/server/core/queue/gpu-fault.ts";
import type { Reservation } from "../src/server/core/queue/reservations/reservation.ts";
import { addToken } from "../src/server/external/sqlite/beside-server/tokens.ts";
import { writeBackup } from "../src/server/external/sqlite/beside-server/write-backup.ts";
import { SCHEMA_VERSION } from "../src/server/external/sqlite/migrate.ts";
import { openStore } from "../src/server/external/sqlite/open-store.ts";

const FOLDER = join(import.meta.dirname, "fixtures", "databases");
const ARTIFACT = "00000000000000a1" as ArtifactId;
const ARTIFACT_BYTES = 600_000;
const HANDLE = { kind: "screen", session: "nexus_job_running", pid: 4242, startTicks: 77, bootId: "boot-1" } as const;

const must = <Value>(result: Result<Value, Problem>): Value => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

const createQueued = (id: string, fields: Partial<QueuedJob> = {}): QueuedJob => ({
  id: id as JobId,
  status: "queued",
  command: `echo '${id} "ü" $HOME'\nsecond line`,
  user: "ada",
  artifactId: null,
  numGpus: 2,
  requestedGpuIdxs: [0, 2],
  priority: 7,
  integrations: ["wandb", "nullpointer"],
  notifications: ["discord", "phone"],
  envNames: ["TOKEN"],
  jobrc: "set -x",
  ignoreBlacklist: true,
  gitRepoUrl: "https://example.com/repo",
  gitBranch: "main",
  gitTag: "v1",
  nodeName: "atlas",
  createdAt: 1_700_000_000.123456,
  requestDigest: `digest-${id}`,
  code: UNKNOWN_CODE,
  outputGlobs: null,
  links: [],
  notes: [],
  ...fields,
});

const createStarting = (id: string): StartingJob => ({
  ...createQueued(id),
  status: "starting",
  startedAt: 1_700_000_001.5,
  gpuIdxs: [0, 2],
  dir: `/srv/nexus/jobs/${id}`,
  markedForKill: false,
});

const createRunning = (id: string): RunningJob => ({
  ...createStarting(id),
  status: "running",
  markedForKill: true,
  handle: HANDLE,
  wandbUrl: "https://wandb.ai/e/p/runs/r",
  notificationMessages: { discord_start_job: "1" },
});

const createEnded = (id: string, fields: Partial<EndedJob>): EndedJob => ({
  ...createRunning(id),
  envNames: [],
  status: "completed",
  completedAt: 1_700_000_002.25,
  exitCode: 0,
  errorMessage: null,
  outputs: NO_OUTPUTS,
  ...fields,
});

const CODE = { commit: "c".repeat(40), tree: "d".repeat(40), isDirty: true, workdir: "src" } as const;

const RELEASED = { heldBy: null, blockedSince: null, uncountedS: 60 } as const;

const JOBS: readonly Job[] = [
  createQueued("queued", { artifactId: ARTIFACT, timeLimitS: 5400, name: "baseline", note: "first try", ...RELEASED }),
  createQueued("cpu", {
    numGpus: 0,
    requestedGpuIdxs: [],
    priority: -3,
    envNames: [],
    jobrc: null,
    gitTag: null,
  }),
  createStarting("starting"),
  { ...createRunning("running"), umask: "0077", inputId: ARTIFACT },
  createEnded("completed", { artifactId: ARTIFACT, envNames: ["TOKEN"], code: CODE }),
  createEnded("failed", { status: "failed", exitCode: 3, errorMessage: "Job failed with exit code 3" }),
  createEnded("killed", { status: "killed", exitCode: null, handle: null }),
];

const environmentOf = (job: Job): Readonly<Record<string, string>> =>
  isEnded(job) ? {} : Object.fromEntries(job.envNames.map((name) => [name, `${name} of ${job.id}`]));

const createNotice = (subject: KeptSubject, destination: string): Notice => ({
  subject,
  channel: "discord",
  destination,
  secrets: { DISCORD_WEBHOOK_URL: "https://example.com/hook" },
  createdAt: 1_700_000_002,
  dueAt: 1_700_000_003,
});

const tellOfJob = (id: string, event: JobNews["event"]): Notice =>
  createNotice({ kind: "job", event, jobId: id as JobId }, "https://example.com/hook");

const REMOVED = createQueued("removed", { batchId: "batch-2" });
const UNTOLD: readonly KeptSubject[] = [
  { kind: "batch", event: "batch_done", batchId: "batch-2", lastJobId: REMOVED.id, removedJob: REMOVED },
  { kind: "batch", event: "batch_done", batchId: "batch-3", lastJobId: "completed" as JobId, removedJob: null },
  { kind: "machine", event: "unhealthy", nodeName: "atlas", figures: "Score: 12 of 100" },
];

const fillOutbox = (outbox: OutboxChanges): void => {
  outbox.enqueue([tellOfJob("running", "started")]);
  outbox.markSending(1);
  outbox.settle(1, { kind: "delivered", at: 1_700_000_004, reference: "77" });
  outbox.enqueue([tellOfJob("failed", "started"), tellOfJob("failed", "failed"), tellOfJob("killed", "killed")]);
  outbox.markSending(2);
  outbox.settle(2, { kind: "retry", dueAt: 1_700_000_009, error: "503", isUncertain: true });
  outbox.markSending(4);
  outbox.settle(4, { kind: "dead", at: 1_700_000_008, error: "404" });
  outbox.enqueue(UNTOLD.map((subject, index) => createNotice(subject, `destination ${index}`)));
};

const TOKEN = { name: "ann", role: "user", digest: "e".repeat(64), createdAt: 1_700_000_000, expiresAt: null } as const;

const GPU_FAULTS: readonly GpuFault[] = [
  { gpuIdx: 0, uuid: "GPU-0", text: "Xid 79 in the log of job failed", at: 1_700_000_002.25 },
  { gpuIdx: 2, uuid: null, text: "Xid 79 in the log of job failed", at: 1_700_000_002.25 },
];

const RESERVATIONS: readonly Reservation[] = [
  { id: "res-1", user: "ann", gpuIdxs: [0, 2], from: 1_700_000_000.5, until: 1_700_009_000, why: "a demo" },
  { id: "res-2", user: "bob", gpuIdxs: [1], from: 1_700_009_000, until: 1_800_000_000, why: null },
];

const createArtifact = (): Uint8Array => Uint8Array.from({ length: ARTIFACT_BYTES }, (_, index) => index % 7);

const fill = async (serverDir: string): Promise<readonly OutboxMessage[]> => {
  const store = must(openStore({ serverDir, clock: () => 1_700_000_000, randomId: () => ARTIFACT }));
  const writer = store.artifacts.begin("0123456789abcdef");
  must(await writer.append(createArtifact()));
  must(await writer.finish());
  const written = store.write((transaction) => {
    for (const job of JOBS) {
      transaction.insertJob(createQueued(job.id), environmentOf(job));
      transaction.saveJob(job);
    }
    for (const gpu of [1, 3]) transaction.setBlacklisted(gpu, true);
    for (const fault of GPU_FAULTS) transaction.saveGpuFault(fault);
    for (const reservation of RESERVATIONS) transaction.insertReservation(reservation);
  });
  must(await written);
  must(await store.write(({ outbox }) => fillOutbox(outbox)));
  must(await store.write(({ outbox }) => fillBatch(outbox)));
  must(await store.saveTokenDigest("d".repeat(64)));
  must(addToken(serverDir, TOKEN));
  const outbox = JOBS.flatMap((job) => store.outbox.listOfJob(job.id));
  await store.close();
  return outbox;
};

const fillBatch = (outbox: OutboxChanges): void => {
  outbox.openBatch("batch-1", 3);
  outbox.countInBatch("batch-1", "failed" as JobId, "failed");
  outbox.countInBatch("batch-1", "completed" as JobId, "completed");
};

const describeContent = (outbox: readonly OutboxMessage[]) => ({
  jobs: JOBS,
  environments: Object.fromEntries(JOBS.map((job) => [job.id, environmentOf(job)])),
  blacklist: [1, 3],
  gpuFaults: GPU_FAULTS,
  reservations: RESERVATIONS,
  tokenDigest: "d".repeat(64),
  token: TOKEN,
  outbox,
  untold: UNTOLD,
  batch: { id: "batch-1", total: 3, completed: 1, failed: 1, killed: 0, removed: 0, failedIds: ["failed"] },
  artifact: { id: ARTIFACT, gitSha: "0123456789abcdef", bytes: ARTIFACT_BYTES },
});

const main = async (): Promise<void> => {
  const path = join(FOLDER, `v${SCHEMA_VERSION}.db`);
  if (existsSync(path)) throw new Error(`${path} is there already, and is kept for ever`);
  const serverDir = mkdtempSync(join(tmpdir(), "nexus-fixture-"));
  const outbox = await fill(serverDir);
  must(writeBackup({ serverDir, path, madeAt: 1_700_000_003 }));
  rmSync(serverDir, { recursive: true });
  writeFileSync(join(FOLDER, `v${SCHEMA_VERSION}.json`), `${JSON.stringify(describeContent(outbox), null, 2)}\n`);
};

await main();
