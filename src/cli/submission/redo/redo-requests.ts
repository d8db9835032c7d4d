import { ok, type Result } from "../../../base/result.ts";
import type { Failure, FlagValues } from "../../../command-line/command.ts";
import { readSwitch, readWhole } from "../../../command-line/flag-values.ts";
import { failUsage } from "../../../command-line/usage.ts";
import type { JobRequestInput, WireJob } from "../../../wire/job.ts";
import { sameFields } from "../../../wire/job-fields/same-fields.ts";
import { repeatPriority, sameCode, sameRun } from "../../../wire/jobs/same-code.ts";
import { MAX_BATCH_SIZE, PRIORITY } from "../../../wire/limits.ts";
import { JOB_FIELDS } from "../../fields/field-table.ts";
import { readFields } from "../../fields/job-field.ts";
import { GPU_FLAGS } from "../../project/apply-defaults.ts";
import { chooseLinks } from "../../project/job-links.ts";
import type { Project } from "../../project/read-project.ts";
import { readUserName } from "../../settings/user-name.ts";
import type { Target } from "../../targets/target.ts";
import type { VariableFields } from "../carry.ts";
import { expandWords, type Reading } from "../expand-words.ts";
import { type GpuOptions, readGpus, readNotifications, readOutputGlobs, readUmask } from "../job-options.ts";
import { readAgain } from "./redo-variables.ts";

type Requests = readonly JobRequestInput[];
type Wanted = Readonly<{
  flags: FlagValues;
  command: readonly string[] | undefined;
  reading: Reading;
  project: Project;
  target: Target;
}>;

const chooseGpus = (job: WireJob, flags: FlagValues): Result<GpuOptions, Failure> => {
  if (GPU_FLAGS.some((name) => flags[name] !== undefined)) return readGpus(flags);
  const idxs = job.requested_gpu_idxs ?? [];
  return ok({ num_gpus: job.num_gpus, ...(idxs.length === 0 ? {} : { gpu_idxs: [...idxs] }) });
};

const chooseCommands = (
  job: WireJob,
  { command, reading }: Wanted,
  repeat: number,
): Result<readonly string[], Failure> => {
  if (command === undefined) return ok(Array.from({ length: repeat }, () => job.command));
  return command.length === 0
    ? failUsage("after -- a command is needed, or leave -- out")
    : expandWords(command, repeat, reading);
};

type Options = Omit<JobRequestInput, "command" | "env">;
type Ending = Pick<Options, "notifications" | "output_globs">;

const chooseEnding = (job: WireJob, flags: FlagValues): Result<Ending, Failure> => {
  const notifications = readNotifications(flags, job.notifications);
  if (!notifications.ok) return notifications;
  const outputs = readOutputGlobs(flags);
  if (!outputs.ok) return outputs;
  return ok({ notifications: notifications.value, output_globs: job.output_globs ?? null, ...outputs.value });
};

const chooseRun = (job: WireJob, flags: FlagValues): Partial<Options> => ({
  ...sameRun(job),
  ...sameFields(job),
  ...readFields(JOB_FIELDS, flags),
});

const readOptions = async (job: WireJob, { flags, project, target }: Wanted): Promise<Result<Options, Failure>> => {
  const gpus = chooseGpus(job, flags);
  if (!gpus.ok) return gpus;
  const ending = chooseEnding(job, flags);
  if (!ending.ok) return ending;
  const priority = readWhole(flags, "priority", PRIORITY);
  if (!priority.ok) return priority;
  const links = await chooseLinks(flags, project, { usual: job.links ?? [], target });
  if (!links.ok) return links;
  return ok({
    ...gpus.value,
    ...sameCode(job),
    git_tag: readSwitch(flags, "local") ? null : job.git_tag,
    user: readUserName(target.config),
    links: links.value,
    ...ending.value,
    umask: readUmask(),
    ...chooseRun(job, flags),
    ignore_blacklist: job.ignore_blacklist || readSwitch(flags, "force"),
    priority: priority.value ?? repeatPriority(job, PRIORITY.max),
  });
};

const redoOne = async (
  job: WireJob,
  wanted: Wanted,
  variables: VariableFields | undefined,
): Promise<Result<Requests, Failure>> => {
  const repeat = readWhole(wanted.flags, "repeat", { min: 1, max: MAX_BATCH_SIZE });
  if (!repeat.ok) return repeat;
  const commands = chooseCommands(job, wanted, repeat.value ?? 1);
  if (!commands.ok) return commands;
  const options = await readOptions(job, wanted);
  if (!options.ok) return options;
  return ok(commands.value.map((command) => ({ ...options.value, ...variables, command })));
};

const sameBatch = (jobs: readonly WireJob[]): Pick<JobRequestInput, "batch_max"> => {
  const [max, ...others] = new Set(jobs.map(({ batch_max: one }) => one ?? null));
  return others.length > 0 || !max ? {} : { batch_max: max };
};

/** Requests for the same jobs again, but for what the flags and a command change. */
export const redoRequests = async (jobs: readonly WireJob[], wanted: Wanted): Promise<Result<Requests, Failure>> => {
  const variables = await readAgain(jobs, wanted);
  if (!variables.ok) return variables;
  const requests: JobRequestInput[] = [];
  for (const [index, job] of jobs.entries()) {
    const again = await redoOne(job, wanted, variables.value[index]);
    if (!again.ok) return again;
    requests.push(...again.value.map((request) => ({ ...sameBatch(jobs), ...request })));
  }
  if (requests.length <= MAX_BATCH_SIZE) return ok(requests);
  return failUsage(`this makes ${requests.length} jobs; at most ${MAX_BATCH_SIZE} can be added at once`);
};
