import { createTopState, type TopState } from "../../src/cli/top/top-state.ts";
import { tellJobFields } from "../../src/server/core/jobs/fields/job-fields.ts";
import type { WireGpu } from "../../src/wire/gpu.ts";
import type { WireJob } from "../../src/wire/job.ts";
import type { ServerView } from "../../src/wire/views/server-view.ts";

export const NOW = 1_800_000_000;

export const makeJob = (fields: Partial<WireJob> = {}): WireJob => ({
  ...tellJobFields({}),
  attempts: [],
  id: "k3f9ab",
  command: "python3 train.py --lr 0.1",
  artifact_id: null,
  git_repo_url: null,
  git_branch: null,
  git_tag: null,
  git_commit: null,
  git_tree: null,
  git_dirty: null,
  workdir: null,
  code_root: null,
  status: "running",
  created_at: NOW - 500,
  priority: 0,
  num_gpus: 1,
  env: {},
  env_names: [],
  carried_names: [],
  requested_gpu_idxs: [],
  node_name: "lab",
  jobrc: null,
  integrations: [],
  notifications: [],
  notification_messages: {},
  pid: null,
  dir: null,
  started_at: NOW - 192,
  gpu_idxs: [0],
  wandb_url: null,
  wandb_note: null,
  waits_for_input_since: null,
  vram_peak_mib: null,
  gpu_use: null,
  vram_mib: null,
  min_vram_mib: null,
  gpu_type: null,
  marked_for_kill: false,
  completed_at: null,
  exit_code: null,
  error_message: null,
  user: "ada",
  ignore_blacklist: false,
  screen_session_name: null,
  output_globs: null,
  links: [],
  umask: "0022",
  input_artifact_id: null,
  outputs: {
    state: "none",
    files: 0,
    bytes: 0,
    left_out: { files: 0, bytes: 0 },
    kept_until: null,
    pulled: false,
  },
  notes: [],
  ...fields,
});

export const makeQueued = (id: string, fields: Partial<WireJob> = {}): WireJob =>
  makeJob({ id, status: "queued", started_at: null, gpu_idxs: [], ...fields });

export const makeGpu = (index: number, fields: Partial<WireGpu> = {}): WireGpu => ({
  index,
  name: "NVIDIA A100-SXM4-80GB",
  memory_total: 81_920,
  memory_used: 0,
  process_count: 0,
  is_blacklisted: false,
  is_reserved: false,
  reservations: [],
  running_job_id: fields.job_ids?.[0] ?? null,
  job_ids: [],
  vram_booked_mib: 0,
  uuid: null,
  utilization: 0,
  temperature: 34,
  power_draw: 60,
  is_mock: false,
  fault: null,
  unseen_use: null,
  doubt: null,
  ...fields,
});

export const makeView = (fields: Partial<Omit<ServerView, "status">> = {}): ServerView => {
  const { gpus = [makeGpu(0)], running = [], queued = [] } = fields;
  const status = {
    gpu_count: gpus.length,
    queued_jobs: queued.length,
    running_jobs: running.length,
    completed_jobs: 12,
    server_user: "nexus",
    server_version: "1.0.0",
    node_name: "lab",
    mock: false,
    gpu_error: null,
    gpu_hint: null,
  };
  return { status, gpus, running, queued };
};

/** One running job, k3f9ab, and two queued ones. */
export const SOME_JOBS: ServerView = makeView({
  running: [makeJob()],
  queued: [makeQueued("p2q8zz"), makeQueued("w7c4de", { num_gpus: 2, priority: -5, user: "grace" })],
});

export const makeState = (fields: Partial<TopState> = {}): TopState => ({
  ...createTopState({
    target: "local",
    columns: 80,
    rows: 24,
    now: NOW,
    view: fields.view ?? SOME_JOBS,
  }),
  ...fields,
});
