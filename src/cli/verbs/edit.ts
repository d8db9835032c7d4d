import { ok, type Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readList, readSwitch, readText, readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobPatch, WireJob } from "../../wire/job.ts";
import { PRIORITY } from "../../wire/limits.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";
import { connect } from "../connection/connect.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { readFields, toFlag } from "../fields/job-field.ts";
import { actOnJobs } from "../jobs/act-on-jobs.ts";
import { askJobs } from "../jobs/ask-job.ts";
import { ALL_USERS, readOwner, selectJobs } from "../jobs/job-selection.ts";
import { ENDED_STATUSES } from "../jobs/list-flags.ts";
import { findNeeds } from "../jobs/words/needed-jobs.ts";
import { GPU_FLAGS } from "../project/apply-defaults.ts";
import { parsePairs } from "../settings/environment-files.ts";
import { readGpus } from "../submission/job-options.ts";
import { warnOfUnheeded } from "../submission/warn-of-unheeded.ts";
import { print, printJson } from "../terminal/output.ts";

const show = (job: WireJob, flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson(job);
  else print(readSwitch(flags, "quiet") ? job.id : `Job ${job.id} is changed.`);
};

type Patch = Readonly<{ command: string | null }> & JobPatch;

const readVariables = (flags: FlagValues): Result<Pick<JobPatch, "env">, Failure> => {
  const given = parsePairs(readList(flags, "env"));
  if (!given.ok) return given;
  const without = readList(flags, "without").map((name) => [name, null] as const);
  const env = { ...given.value, ...Object.fromEntries(without) };
  return ok(Object.keys(env).length === 0 ? {} : { env });
};

const readGpuPatch = (flags: FlagValues): Result<Pick<JobPatch, "num_gpus" | "gpu_idxs">, Failure> =>
  GPU_FLAGS.some((name) => flags[name] !== undefined) ? readGpus(flags) : ok({});

const readPatch = (flags: FlagValues): Result<Patch, Failure> => {
  const priority = readWhole(flags, "priority", PRIORITY);
  if (!priority.ok) return priority;
  const gpus = readGpuPatch(flags);
  if (!gpus.ok) return gpus;
  const env = readVariables(flags);
  if (!env.ok) return env;
  const command = readText(flags, "command");
  if (command?.trim() === "") return failUsage("--command takes a command that is not blank");
  const others = { ...gpus.value, ...env.value, ...readFields(JOB_FIELDS, flags) };
  if (command === null && priority.value === null && Object.keys(others).length === 0)
    return failUsage("nx edit needs -c, -p, -g or another flag that says what to change");
  return ok({ command, priority: priority.value, ...others });
};

const choose = async (
  api: Api,
  { flags, words }: Invocation,
  { command }: Patch,
): Promise<Result<readonly WireJob[], Failure>> => {
  if (command !== null) return askJobs(api, words);
  const idStatuses = ["running", "queued", ...ENDED_STATUSES] as const;
  return selectJobs(api, { statuses: ["queued"], idStatuses, user: readOwner(flags, api.target) }, words);
};

const createAct =
  (api: Api, patch: JobPatch): ((job: Pick<WireJob, "id">) => ApiResult<WireJob>) =>
  async ({ id }) => {
    const edited = await api.send<WireJob>("PATCH", `/v1/jobs/${encodeURIComponent(id)}`, patch);
    if (edited.ok) warnOfUnheeded(patch, edited.value);
    return edited;
  };

const editOne = async (job: ApiResult<WireJob>, flags: FlagValues): Promise<Outcome> => {
  const edited = await job;
  if (!edited.ok) return edited;
  show(edited.value, flags);
  return DONE;
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const { flags, words } = invocation;
  const patch = readPatch(flags);
  if (!patch.ok) return patch;
  if (words.length === 0 || (patch.value.command !== null && words.length > 1))
    return failUsage("nx edit takes one job id with -c, else any words that select jobs", "see nx queue");
  const api = await connect(flags);
  if (!api.ok) return api;
  const needed = await findNeeds(api.value, patch.value);
  if (!needed.ok) return needed;
  const jobs = await choose(api.value, invocation, patch.value);
  if (!jobs.ok) return jobs;
  const act = createAct(api.value, needed.value);
  const [only, ...others] = jobs.value;
  if (only !== undefined && others.length === 0) return editOne(act(only), flags);
  return actOnJobs(jobs.value, { verb: "edit", done: "changed", act }, flags);
};

export const verb: Verb = {
  name: "edit",
  usage: "nx edit @BATCH, ID, name or regex… [flags]",
  summary: "change a queued job, or the name and note of any",
  flags: [
    { long: "command", short: "c", value: "COMMAND", help: "its command" },
    { long: "priority", short: "p", value: "N", help: "its priority" },
    { long: "gpus", short: "g", value: "N", help: "how many GPUs, any of them" },
    { long: "gpu-idxs", short: "i", value: "0,1", help: "exactly these GPUs" },
    { long: "env", short: "e", value: "K=V", many: true, help: "a variable of it" },
    { long: "without", value: "NAME", many: true, help: "take this variable out" },
    ...JOB_FIELDS.map(toFlag),
    { long: "yes", short: "y", help: "don't ask before several are changed" },
    ALL_USERS,
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "its id only" },
  ],
  examples: ["nx edit k3f9ab -p 10", "nx edit k3f9ab -c 'python3 train.py --lr 0.3'", "nx edit k3f9ab --name baseline"],
  run,
};
