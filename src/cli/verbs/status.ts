import type { WireGpu } from "../../shared/gpu.ts";
import type { WireJob } from "../../shared/job.ts";
import type { ServerStatus } from "../../shared/node.ts";
import { ok, type Result } from "../../shared/result.ts";
import { VERSION } from "../../shared/version.ts";
import type { Api } from "../api-client.ts";
import { connect } from "../connect.ts";
import { readSwitch } from "../flag-values.ts";
import { printQueued, printRunning } from "../job-text.ts";
import { bold, escapeText, green, hint, print, printJson, red, yellow } from "../output.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../verb.ts";

type Overview = Readonly<{
  status: ServerStatus;
  gpus: readonly WireGpu[];
  running: readonly WireJob[];
  queued: readonly WireJob[];
}>;

const QUEUE_HEAD = 5;

const readOverview = async (api: Api): Promise<Result<Overview, Failure>> => {
  const status = await api.get<ServerStatus>("/v1/server/status");
  if (!status.ok) return status;
  const [gpus, running, queued] = await Promise.all([
    api.get<readonly WireGpu[]>("/v1/gpus"),
    api.get<readonly WireJob[]>("/v1/jobs?status=running"),
    api.get<readonly WireJob[]>(`/v1/jobs?status=queued&limit=${QUEUE_HEAD}`),
  ]);
  if (!gpus.ok) return gpus;
  if (!running.ok) return running;
  if (!queued.ok) return queued;
  return ok({ status: status.value, gpus: gpus.value, running: running.value, queued: queued.value });
};

const describeUse = (gpu: WireGpu): string => {
  if (gpu.running_job_id !== null) return yellow(`job ${gpu.running_job_id}`);
  if (gpu.is_blacklisted) return red("blacklisted");
  return gpu.process_count > 0 ? red("in use by others") : green("available");
};

const printGpus = (gpus: readonly WireGpu[]): void => {
  for (const gpu of gpus) {
    const memory = `${gpu.memory_used}/${gpu.memory_total} MiB`;
    print(`  ${gpu.index}  ${escapeText(gpu.name).padEnd(24)} ${memory.padStart(18)}  ${describeUse(gpu)}`);
  }
};

const printWarnings = ({ status }: Overview): void => {
  if (status.gpu_error !== null) hint(`Warning: the GPUs can't be read, so GPU jobs wait: ${status.gpu_error}`);
  if (status.server_version !== VERSION)
    hint(`Warning: the server is ${status.server_version}, this client ${VERSION}`);
};

const show = (overview: Overview, target: string): void => {
  const { status, gpus, running, queued } = overview;
  print(`${bold(status.node_name)} (${target}${status.mock ? ", mock GPUs" : ""})`);
  print(bold("\nGPUs"));
  printGpus(gpus);
  print(bold(`\nRunning (${status.running_jobs})`));
  if (running.length > 0) printRunning(running);
  print(bold(`\nQueued (${status.queued_jobs})`));
  if (queued.length > 0) printQueued(queued);
  printWarnings(overview);
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const overview = await readOverview(api.value);
  if (!overview.ok) return overview;
  if (readSwitch(flags, "json")) printJson({ ...overview.value, target: api.value.target.name });
  else show(overview.value, api.value.target.name);
  return DONE;
};

export const verb: Verb = {
  name: "status",
  usage: "nx",
  summary: "GPUs, running jobs and the head of the queue",
  flags: [{ long: "json", help: "as JSON" }],
  maxWords: 0,
  examples: ["nx", "nx --json"],
  run,
};
