import { MASK } from "../../../base/secret-names.ts";
import type { WireOutputs } from "../../../wire/files.ts";
import type { WireJob, WireStatus } from "../../../wire/job.ts";
import { tellJobFields } from "./fields/job-fields.ts";
import { tellUse } from "./gpu-use.ts";
import { isEnded, type Job, type JobHandle, type JobStatus, NO_OUTPUTS, USUAL_UMASK } from "./job.ts";
import { listAttempts } from "./job-attempts.ts";

type SpecFields = Omit<WireJob, keyof LaunchFields | keyof EndFields | keyof ReportFields | "outputs">;
type CodeFields = Pick<
  WireJob,
  | "artifact_id"
  | "git_repo_url"
  | "git_branch"
  | "git_tag"
  | "git_commit"
  | "git_tree"
  | "git_dirty"
  | "workdir"
  | "code_root"
>;
type RunFields = Pick<WireJob, "jobrc" | "output_globs" | "links" | "umask" | "input_artifact_id">;
type LaunchFields = Pick<
  WireJob,
  "started_at" | "gpu_idxs" | "dir" | "marked_for_kill" | "pid" | "screen_session_name"
>;
type EndFields = Pick<WireJob, "completed_at" | "exit_code" | "error_message">;
type ReportFields = Pick<WireJob, "wandb_url" | "wandb_note" | "notification_messages" | "waits_for_input_since">;

const toWireStatus = (status: JobStatus): WireStatus => (status === "starting" ? "running" : status);

const maskEnvironment = (job: Job): Record<string, string> =>
  isEnded(job) ? {} : Object.fromEntries(job.envNames.map((name) => [name, MASK]));

const describeCode = ({ code, ...job }: Job): CodeFields => ({
  artifact_id: job.artifactId,
  git_repo_url: job.gitRepoUrl,
  git_branch: job.gitBranch,
  git_tag: job.gitTag,
  git_commit: code.commit,
  git_tree: code.tree,
  git_dirty: code.isDirty,
  workdir: code.workdir,
  code_root: code.root ?? null,
});

const describeRun = (job: Job): RunFields => ({
  jobrc: job.jobrc,
  output_globs: job.outputGlobs === null ? null : [...job.outputGlobs],
  links: [...job.links],
  umask: job.umask ?? USUAL_UMASK,
  input_artifact_id: job.inputId ?? null,
});

const describePast = (job: Job): Pick<WireJob, "vram_peak_mib" | "gpu_use" | "attempts"> => ({
  vram_peak_mib: job.vramPeakMib ?? null,
  gpu_use: tellUse(job.gpuUse),
  attempts: [...listAttempts(job)],
});

const describeSpec = (job: Job): SpecFields => ({
  id: job.id,
  command: job.command,
  ...describeCode(job),
  status: toWireStatus(job.status),
  created_at: job.createdAt,
  priority: job.priority,
  num_gpus: job.numGpus,
  env: maskEnvironment(job),
  env_names: [...job.envNames],
  carried_names: [...(job.carriedNames ?? [])],
  requested_gpu_idxs: [...job.requestedGpuIdxs],
  node_name: job.nodeName,
  integrations: [...job.integrations],
  notifications: [...job.notifications],
  user: job.user,
  ignore_blacklist: job.ignoreBlacklist,
  ...describeRun(job),
  notes: [...job.notes],
  ...tellJobFields(job),
  ...describePast(job),
});

const handleOf = (job: Job): JobHandle | null => ("handle" in job ? job.handle : null);

const nameSession = (job: Job): string | null => {
  if (job.status === "starting") return `nexus_job_${job.id}`;
  const handle = handleOf(job);
  return handle?.kind === "screen" ? handle.session : null;
};

const findPid = (handle: JobHandle | null): number | null => (handle?.kind === "screen" ? handle.pid : null);

const describeLaunch = (job: Job): LaunchFields => {
  const isQueued = job.status === "queued";
  return {
    started_at: isQueued ? null : job.startedAt,
    gpu_idxs: [...(isQueued ? job.requestedGpuIdxs : job.gpuIdxs)],
    dir: isQueued ? null : job.dir,
    marked_for_kill: isQueued ? false : job.markedForKill,
    pid: findPid(handleOf(job)),
    screen_session_name: nameSession(job),
  };
};

const describeReports = (job: Job): ReportFields =>
  job.status === "queued" || job.status === "starting"
    ? { wandb_url: null, wandb_note: null, notification_messages: {}, waits_for_input_since: null }
    : {
        wandb_url: job.wandbUrl,
        wandb_note: job.wandbNote ?? null,
        notification_messages: { ...job.notificationMessages },
        waits_for_input_since: isEnded(job) ? null : (job.inputSince ?? null),
      };

const describeEnd = (job: Job): EndFields =>
  isEnded(job)
    ? { completed_at: job.completedAt, exit_code: job.exitCode, error_message: job.errorMessage }
    : { completed_at: null, exit_code: null, error_message: null };

const describeOutputs = (job: Job): WireOutputs => {
  const { state, files, bytes, leftOut, keptUntil, isPulled } = isEnded(job) ? job.outputs : NO_OUTPUTS;
  return { state, files, bytes, left_out: { ...leftOut }, kept_until: keptUntil, pulled: isPulled };
};

export const toWireJob = (job: Job): WireJob => ({
  ...describeSpec(job),
  ...describeLaunch(job),
  ...describeReports(job),
  ...describeEnd(job),
  outputs: describeOutputs(job),
});
