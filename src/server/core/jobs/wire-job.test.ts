import { expect, test } from "bun:test";
import { wireJobSchema } from "../../../wire/job.ts";
import {
  type ArtifactId,
  type EndedJob,
  type JobId,
  type QueuedJob,
  type RunningJob,
  type StartingJob,
  UNKNOWN_CODE,
} from "./job.ts";
import { completeStored } from "./stored-job.ts";
import { toWireJob } from "./wire-job.ts";

const queued: QueuedJob = {
  status: "queued",
  id: "abc123" as JobId,
  command: "python train.py",
  user: "ann",
  artifactId: "art-1" as ArtifactId,
  numGpus: 2,
  requestedGpuIdxs: [1, 3],
  priority: 7,
  integrations: ["wandb"],
  notifications: ["discord"],
  envNames: ["WANDB_API_KEY", "__proto__"],
  jobrc: "module load cuda",
  ignoreBlacklist: true,
  gitRepoUrl: "git@example.com:a/b.git",
  gitBranch: "main",
  gitTag: "nexus-abc123",
  nodeName: "atlas",
  createdAt: 100.5,
  requestDigest: "00",
  code: UNKNOWN_CODE,
  outputGlobs: null,
  links: [],
  notes: [],
};

const starting: StartingJob = {
  ...queued,
  status: "starting",
  startedAt: 200.25,
  gpuIdxs: [0, 2],
  dir: "/jobs/abc123",
  markedForKill: true,
};

const running: RunningJob = {
  ...starting,
  status: "running",
  markedForKill: false,
  wandbUrl: "https://wandb.ai/x",
  notificationMessages: { discord: "7" },
  handle: { kind: "screen", session: "nexus_job_abc123", pid: 99, startTicks: 5, bootId: "b" },
};

const ended: EndedJob = {
  ...running,
  status: "failed",
  completedAt: 300,
  exitCode: 3,
  errorMessage: "exit code 3",
  outputs: {
    state: "kept",
    files: 2,
    bytes: 30,
    leftOut: { files: 1, bytes: 4 },
    keptUntil: 900,
    isWarned: false,
    isPulled: true,
  },
  notes: ["a line"],
};

test("every job has exactly the fields of the wire", () => {
  for (const job of [queued, starting, running, ended]) {
    expect(Object.keys(toWireJob(job)).sort()).toEqual(Object.keys(wireJobSchema.shape).sort());
    expect(wireJobSchema.safeParse(toWireJob(job)).success).toBe(true);
  }
});

test("a queued job shows the GPUs it asks for and nothing of a start", () => {
  expect(toWireJob(queued)).toMatchObject({
    status: "queued",
    gpu_idxs: [1, 3],
    num_gpus: 2,
    created_at: 100.5,
    started_at: null,
    dir: null,
    pid: null,
    screen_session_name: null,
    marked_for_kill: false,
    wandb_url: null,
    notification_messages: {},
    completed_at: null,
    exit_code: null,
    error_message: null,
  });
});

test("values of variables are never shown, whatever their name is", () => {
  expect(JSON.stringify(toWireJob(queued).env)).toBe('{"WANDB_API_KEY":"********","__proto__":"********"}');
});

test("a starting job is shown as running, with the GPUs it got", () => {
  expect(toWireJob(starting)).toMatchObject({
    status: "running",
    gpu_idxs: [0, 2],
    started_at: 200.25,
    dir: "/jobs/abc123",
    pid: null,
    screen_session_name: "nexus_job_abc123",
    marked_for_kill: true,
  });
});

test("a running job shows its process, session and reports", () => {
  expect(toWireJob(running)).toMatchObject({
    pid: 99,
    screen_session_name: "nexus_job_abc123",
    wandb_url: "https://wandb.ai/x",
    notification_messages: { discord: "7" },
  });
});

test("an ended job has lost the values of its variables and shows its end", () => {
  expect(toWireJob(ended)).toMatchObject({
    status: "failed",
    env: {},
    env_names: ["WANDB_API_KEY", "__proto__"],
    gpu_idxs: [0, 2],
    requested_gpu_idxs: [1, 3],
    completed_at: 300,
    exit_code: 3,
    error_message: "exit code 3",
    screen_session_name: "nexus_job_abc123",
  });
});

test("a Slurm job has no pid and no screen session here", () => {
  expect(toWireJob({ ...running, handle: { kind: "slurm", slurmJobId: 5 } })).toMatchObject({
    pid: null,
    screen_session_name: null,
  });
});

test("a job shows what it ran, and one of an earlier version that this is not known", () => {
  const code = { commit: "c".repeat(40), tree: "d".repeat(40), isDirty: true, workdir: "src" };
  const fields = { git_commit: code.commit, git_tree: code.tree, git_dirty: true, workdir: "src" };
  expect(toWireJob({ ...ended, code })).toMatchObject(fields);
  const unknown = { git_commit: null, git_tree: null, git_dirty: null, workdir: null };
  const { code: _code, ...stored } = ended;
  expect(toWireJob(completeStored(stored) as EndedJob)).toMatchObject(unknown);
});

test("a job shows which of its variables came from a shell, and the folder of its code", () => {
  const carried = { ...ended, envNames: ["A", "PATH"], carriedNames: ["PATH"], code: { ...ended.code, root: "/code" } };
  expect(toWireJob(carried)).toMatchObject({ carried_names: ["PATH"], code_root: "/code", env: {} });
  expect(toWireJob(ended)).toMatchObject({ carried_names: [], code_root: null });
});

test("a job shows its umask and its standard input, one that was sent without them the usual and none", () => {
  const sent = { ...ended, umask: "0077", inputId: "a1" as ArtifactId };
  expect(toWireJob(sent)).toMatchObject({ umask: "0077", input_artifact_id: "a1" });
  expect(toWireJob(ended)).toMatchObject({ umask: "0022", input_artifact_id: null });
});

test("an ended job shows what is kept of what it made, another nothing", () => {
  expect(toWireJob(ended)).toMatchObject({
    outputs: { state: "kept", files: 2, bytes: 30, left_out: { files: 1, bytes: 4 }, kept_until: 900, pulled: true },
    notes: ["a line"],
  });
  expect(toWireJob(running).outputs).toMatchObject({ state: "none", files: 0, bytes: 0, kept_until: null });
});
