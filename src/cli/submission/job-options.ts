import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readList, readSwitch, readText, readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import { INTEGRATION_NAMES, NOTIFICATION_NAMES } from "../../wire/job-names.ts";
import { GPU_COUNT } from "../../wire/limits.ts";
import { describeFirstMistake, describeGlobMistake } from "../../wire/output-globs.ts";
import { locateRepository } from "../code/git-repository.ts";
import { chooseJobrc } from "../project/choose-jobrc.ts";
import { readLinks } from "../project/job-links.ts";
import type { Project } from "../project/read-project.ts";
import { readListOption } from "../settings/config-file.ts";
import { collectEnvironment } from "../settings/environment-files.ts";
import { readUserName } from "../settings/user-name.ts";
import type { Target } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";
import { describeCarried, readCarried, readCarryMode, type VariableFields } from "./carry.ts";

/** All of a request but its command and what travels with it. */
export type JobOptions = Omit<JobRequestInput, "command">;

export type GpuOptions = Pick<JobRequestInput, "num_gpus" | "gpu_idxs">;

const parseIndexes = (text: string): Result<readonly number[], Failure> => {
  const parts = text.split(",");
  const indexes = parts.map(Number);
  const twice = indexes.find((index, place) => indexes.indexOf(index) !== place);
  if (!parts.every((part) => /^\d+$/.test(part)))
    return failUsage(`--gpu-idxs takes GPU numbers such as 0,1, not "${text}"`);
  return twice === undefined ? ok(indexes) : failUsage(`--gpu-idxs names GPU ${twice} twice`);
};

export const readGpus = (flags: FlagValues): Result<GpuOptions, Failure> => {
  const count = readWhole(flags, "gpus", GPU_COUNT);
  if (!count.ok) return count;
  const text = readText(flags, "gpu-idxs");
  const given = [text, count.value, readSwitch(flags, "cpu") || null].filter((value) => value !== null);
  if (given.length > 1) return failUsage("give one of --gpu-idxs, --gpus and --cpu, not several");
  if (text === null) return ok({ num_gpus: readSwitch(flags, "cpu") ? 0 : (count.value ?? 1) });
  const indexes = parseIndexes(text);
  return indexes.ok ? ok({ gpu_idxs: [...indexes.value], num_gpus: indexes.value.length }) : indexes;
};

const checkNames = <Name extends string>(
  given: readonly string[],
  known: readonly Name[],
  what: string,
): Result<Name[], Failure> => {
  const names = given.flatMap((text) => text.split(","));
  const unknown = names.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) return failUsage(`"${unknown}" is no ${what}`, `there are: ${known.join(", ")}`);
  return ok(known.filter((name) => names.includes(name)));
};

type Notification = (typeof NOTIFICATION_NAMES)[number];

/** Those of `--notify`, and the usual ones unless it is to be silent. */
export const readNotifications = (flags: FlagValues, usual: readonly string[]): Result<Notification[], Failure> => {
  const defaults = readSwitch(flags, "silent") ? [] : usual;
  return checkNames([...readList(flags, "notify"), ...defaults], NOTIFICATION_NAMES, "notification");
};

const findGlobMistake = (globs: readonly string[]): string | null => {
  const wrong = globs.find((glob) => describeGlobMistake(glob) !== null);
  if (wrong !== undefined) return `--outputs ${escapeText(wrong)}: ${describeGlobMistake(wrong)}`;
  const mistake = describeFirstMistake(globs);
  return mistake === null ? null : `--outputs ${escapeText(globs[0] ?? "")}: ${mistake}`;
};

/** None of them where the flags say nothing of files. */
export const readOutputGlobs = (flags: FlagValues): Result<Pick<JobRequestInput, "output_globs">, Failure> => {
  const globs = readList(flags, "outputs");
  const keepsNone = readSwitch(flags, "no-outputs");
  if (globs.length > 0 && keepsNone) return failUsage("give --outputs or --no-outputs, not both");
  const mistake = findGlobMistake(globs);
  if (mistake !== null) return failUsage(mistake);
  return ok(globs.length > 0 || keepsNone ? { output_globs: [...globs] } : {});
};

/** Octal, as a shell prints it. */
export const readUmask = (): string => process.umask().toString(8).padStart(4, "0");

const locateCode = (flags: FlagValues): string | null => {
  const repository = readSwitch(flags, "no-git") ? null : locateRepository(process.cwd());
  return repository?.ok === true ? (repository.value?.top ?? null) : null;
};

const readVariables = async (
  flags: FlagValues,
  { settings }: Project,
  target: Target,
): Promise<Result<VariableFields, Failure>> => {
  const carried = await readCarried(flags, target, readCarryMode(flags, target.config));
  const earlier = [carried?.values ?? {}, settings.env ?? {}];
  const env = collectEnvironment(readList(flags, "env"), readText(flags, "env-file"), earlier);
  if (!env.ok) return env;
  if (carried === null) return ok({ env: env.value });
  const { fields, notes } = describeCarried(env.value, carried, locateCode(flags));
  for (const note of notes) hint(note);
  return ok(fields);
};

type Surroundings = VariableFields & Pick<JobRequestInput, "jobrc" | "links">;

const readSurroundings = async (
  flags: FlagValues,
  project: Project,
  target: Target,
): Promise<Result<Surroundings, Failure>> => {
  const variables = await readVariables(flags, project, target);
  if (!variables.ok) return variables;
  const jobrc = chooseJobrc(project);
  if (!jobrc.ok) return jobrc;
  const links = await readLinks(flags, project, target);
  if (!links.ok) return links;
  return ok({ ...variables.value, jobrc: jobrc.value, ...(links.value.length === 0 ? {} : { links: links.value }) });
};

type Services = Pick<JobRequestInput, "notifications" | "integrations">;

const readServices = (flags: FlagValues, { settings }: Project, { config }: Target): Result<Services, Failure> => {
  const usual = settings.notify ?? readListOption(config, "default_notifications");
  const notifications = readNotifications(flags, usual);
  if (!notifications.ok) return notifications;
  const integrations = checkNames(readListOption(config, "default_integrations"), INTEGRATION_NAMES, "integration");
  return integrations.ok ? ok({ notifications: notifications.value, integrations: integrations.value }) : integrations;
};

/** Of flags to which the project's defaults are applied. */
export const readJobOptions = async (
  flags: FlagValues,
  project: Project,
  target: Target,
): Promise<Result<JobOptions, Failure>> => {
  const gpus = readGpus(flags);
  if (!gpus.ok) return gpus;
  const services = readServices(flags, project, target);
  if (!services.ok) return services;
  const outputs = readOutputGlobs(flags);
  if (!outputs.ok) return outputs;
  const surroundings = await readSurroundings(flags, project, target);
  if (!surroundings.ok) return surroundings;
  return ok({
    ...gpus.value,
    user: readUserName(target.config),
    ...services.value,
    ...surroundings.value,
    ignore_blacklist: readSwitch(flags, "force"),
    ...outputs.value,
    umask: readUmask(),
  });
};
