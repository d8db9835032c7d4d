import { ok, type Result } from "../../../base/result.ts";
import type { Failure, FlagValues } from "../../../command-line/command.ts";
import { readList, readText } from "../../../command-line/flag-values.ts";
import { failUsage } from "../../../command-line/usage.ts";
import type { WireJob } from "../../../wire/job.ts";
import { listVariables } from "../../jobs/job-text.ts";
import type { Project } from "../../project/read-project.ts";
import { type CarryMode, isOfEnvironment } from "../../settings/carried-variables.ts";
import { collectNamed, type NamedValues } from "../../settings/environment-files.ts";
import type { Target } from "../../targets/target.ts";
import { hint } from "../../terminal/output.ts";
import { type Carried, describeCarried, readCarried, readCarryMode, type VariableFields } from "../carry.ts";

type Sources = Readonly<{ flags: FlagValues; found: NamedValues; carried: Carried | null }>;
type Described = ReturnType<typeof describeCarried>;

const listCarried = ({ carried_names: names = [] }: WireJob): readonly string[] => names;

const hadAll = (job: WireJob): boolean => !listCarried(job).every(isOfEnvironment);

const listNeeded = (job: WireJob, flags: FlagValues): readonly string[] => {
  const without = [...readList(flags, "without"), ...(readText(flags, "carry") === "none" ? listCarried(job) : [])];
  return listVariables(job).filter((name) => !without.includes(name));
};

const listAsked = (flags: FlagValues, carried: Carried | null): readonly string[] => {
  const isAsked = readText(flags, "carry") !== null;
  return isAsked ? Object.keys(carried?.values ?? {}).filter((name) => !readList(flags, "without").includes(name)) : [];
};

const findUnknown = (jobs: readonly WireJob[], flags: FlagValues): string | undefined =>
  readList(flags, "without").find((name) => !jobs.some((job) => listVariables(job).includes(name)));

const refuseMissing = (job: WireJob, missing: readonly string[]): Result<never, Failure> => {
  const [them, each] = missing.length === 1 ? ["the variable", "it"] : ["the variables", "each"];
  const had = `job ${job.id} had ${them} ${missing.join(", ")}`;
  if (missing.every((name) => listCarried(job).includes(name)))
    return failUsage(
      `${had} of the shell that sent it, with no value in this one`,
      `activate its environment, or leave out ${each} with --without NAME, all of that shell with --carry none`,
    );
  return failUsage(
    `${had}, with no value in your files now`,
    `give ${each} with -e NAME=VALUE, or leave ${each} out with --without NAME`,
  );
};

const chooseMode = (jobs: readonly WireJob[], flags: FlagValues, target: Target): CarryMode => {
  const mode = readCarryMode(flags, target.config);
  if (readText(flags, "carry") !== null || mode === "none") return mode;
  if (jobs.every((job) => listCarried(job).length === 0)) return "none";
  return jobs.some(hadAll) ? "all" : "activated";
};

const isStale = (name: string, job: WireJob, { found, carried }: Sources): boolean =>
  carried?.active === null && !hadAll(job) && isOfEnvironment(name) && found.values[name] === carried.values[name];

const describeOne = (job: WireJob, sources: Sources): Result<Described, Failure> => {
  const { flags, found, carried } = sources;
  const isAsked = readText(flags, "carry") !== null;
  const needed = listNeeded(job, flags);
  const usable = needed.filter((name) => isAsked || !isStale(name, job, sources));
  const names = new Set([...usable, ...found.given, ...listAsked(flags, carried)]);
  const env = Object.fromEntries(Object.entries(found.values).filter(([name]) => names.has(name)));
  const goesWith = carried !== null && (isAsked || listCarried(job).length > 0);
  const described = goesWith ? describeCarried(env, carried, job.code_root ?? null) : { fields: { env }, notes: [] };
  const missing = needed.filter((name) => !Object.hasOwn(described.fields.env, name));
  return missing.length === 0 ? ok(described) : refuseMissing(job, missing);
};

/** The variables of each job, with the values that the user's shell, files and flags give them now. */
export const readAgain = async (
  jobs: readonly WireJob[],
  { flags, project, target }: Readonly<{ flags: FlagValues; project: Project; target: Target }>,
): Promise<Result<readonly VariableFields[], Failure>> => {
  const unknown = findUnknown(jobs, flags);
  if (unknown !== undefined) return failUsage(`--without ${unknown}: no job that is to run again had that variable`);
  const carried = await readCarried(flags, target, chooseMode(jobs, flags, target));
  const names = [...jobs.flatMap((job) => listNeeded(job, flags)), ...Object.keys(carried?.values ?? {})];
  const [pairs, envFile] = [readList(flags, "env"), readText(flags, "env-file")];
  const earlier = [carried?.values ?? {}, project.settings.env ?? {}];
  const found = collectNamed(names, { pairs, envFile, earlier });
  if (!found.ok) return found;
  const described: Described[] = [];
  for (const job of jobs) {
    const one = describeOne(job, { flags, found: found.value, carried });
    if (!one.ok) return one;
    described.push(one.value);
  }
  for (const note of new Set(described.flatMap(({ notes }) => notes))) hint(note);
  return ok(described.map(({ fields }) => fields));
};
