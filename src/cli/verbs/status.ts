import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import { formatGpuMemory, listGpuUses } from "../../wire/gpus/gpu-text.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Health, ServerStatus } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { describeVersion } from "../connection/server-version.ts";
import { describeGpuTrouble, describeHalt } from "../jobs/halt-text.ts";
import { describeIllHealth, listHealthWarnings } from "../jobs/health-text.ts";
import { printQueued, printRunning } from "../jobs/job-text.ts";
import { describeExpiring } from "../jobs/kept-text.ts";
import { readUserName } from "../settings/user-name.ts";
import { formatMoment } from "../terminal/clock.ts";
import { bold, green, hangText, hint, print, printJson, red, yellow } from "../terminal/output.ts";
import { measureWidth, padText, truncateText } from "../terminal/text-width.ts";

type Overview = Readonly<{
  status: ServerStatus;
  health: Health;
  gpus: readonly WireGpu[];
  running: readonly WireJob[];
  queued: readonly WireJob[];
}>;

const QUEUE_HEAD = 5;
const MIN_NAME = 24;
const MAX_NAME = 32;

const readOverview = async (api: Api): Promise<Result<Overview, Failure>> => {
  const [status, health, gpus, running, queued] = await Promise.all([
    api.get<ServerStatus>(`/v1/server/status?${new URLSearchParams({ user: readUserName(api.target.config) })}`),
    api.get<Health>("/v1/health?detailed=true"),
    api.get<readonly WireGpu[]>("/v1/gpus"),
    api.get<readonly WireJob[]>("/v1/jobs?status=running"),
    api.get<readonly WireJob[]>(`/v1/jobs?status=queued&limit=${QUEUE_HEAD}`),
  ]);
  if (!status.ok) return status;
  if (!health.ok) return health;
  if (!gpus.ok) return gpus;
  if (!running.ok) return running;
  if (!queued.ok) return queued;
  const { value } = health;
  return ok({ status: status.value, health: value, gpus: gpus.value, running: running.value, queued: queued.value });
};

const TONES = { good: green, taken: yellow, bad: red } as const;

const describeUse = (gpu: WireGpu): string =>
  listGpuUses(gpu, formatMoment)
    .map(({ text, tone }) => TONES[tone](text))
    .join(", ");

const describeMemory = (gpu: WireGpu): string => {
  const memory = formatGpuMemory(gpu);
  return memory === "-" ? memory : `${memory} MiB`;
};

const printGpus = (gpus: readonly WireGpu[]): void => {
  const names = gpus.map(({ name }) => truncateText(escapeText(name), MAX_NAME));
  const width = Math.max(MIN_NAME, ...names.map(measureWidth));
  for (const [row, gpu] of gpus.entries()) {
    const start = `  ${gpu.index}  ${padText(names[row] ?? "", width)} ${describeMemory(gpu).padStart(18)}  `;
    print(start + hangText(describeUse(gpu), measureWidth(start)));
  }
};

const listWarnings = ({ status, health }: Overview): readonly (string | null)[] => [
  status.mock ? "the GPUs are mock ones, so jobs run without a GPU" : null,
  describeHalt(status),
  describeGpuTrouble(status),
  status.gpu_hint ? escapeText(status.gpu_hint) : null,
  ...describeExpiring(status),
  status.disk_error === undefined ? describeIllHealth(health) : null,
  ...listHealthWarnings(health),
  describeVersion(status.server_version),
];

const printWarnings = (overview: Overview): void => {
  for (const warning of listWarnings(overview)) if (warning !== null) hint(`Warning: ${warning}`);
};

const show = (overview: Overview, target: string): void => {
  const { status, gpus, running, queued } = overview;
  print(`${bold(escapeText(status.node_name))} (${target}${status.mock ? ", mock GPUs" : ""})`);
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
