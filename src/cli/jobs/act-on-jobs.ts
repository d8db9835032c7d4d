import { escapeText } from "../../base/escape-text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Flag, type FlagValues, type Outcome } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { fail } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ApiResult } from "../connection/api-failure.ts";
import { createCommandList } from "../lists/command-list.ts";
import { hint, print, printJson, readHintWidth } from "../terminal/output.ts";
import { confirm } from "../terminal/prompt.ts";
import { measureWidth } from "../terminal/text-width.ts";
import { ALL_USERS } from "./job-selection.ts";

/** `verb` as it is typed, `done` as it is said afterwards: "kill", "killed". One job `isUndone` easily, and is not asked about. */
export type JobAction = Readonly<{
  verb: string;
  done: string;
  isUndone?: boolean;
  act: (job: WireJob) => ApiResult<unknown>;
}>;

const LEAST_COMMAND = 10;

export const ACTION_FLAGS: readonly Flag[] = [
  { long: "yes", short: "y", help: "don't ask" },
  ALL_USERS,
  { long: "json", help: "as JSON" },
  { long: "quiet", short: "q", help: "ids only" },
];

const showJobs = (jobs: readonly WireJob[]): void => {
  const shorten = createCommandList(jobs);
  for (const job of jobs) {
    const start = `  ${job.id}  ${escapeText(job.user)}  `;
    hint(start + shorten(job, Math.max(LEAST_COMMAND, readHintWidth() - measureWidth(start))));
  }
};

const confirmAction = async (
  jobs: readonly WireJob[],
  { verb, isUndone = false }: JobAction,
  flags: FlagValues,
): Promise<Result<boolean, Failure>> => {
  if (readSwitch(flags, "yes") || (isUndone && jobs.length === 1)) return ok(true);
  showJobs(jobs);
  const many = jobs.length === 1 ? "this job" : `these ${jobs.length} jobs`;
  return confirm(
    `${verb[0]?.toUpperCase()}${verb.slice(1)} ${many}?`,
    `nx ${verb} asks on a terminal only`,
    "add -y to go ahead",
  );
};

const actOnEach = async (
  jobs: readonly WireJob[],
  action: JobAction,
): Promise<readonly (readonly [WireJob, Failure | null])[]> => {
  const results: (readonly [WireJob, Failure | null])[] = [];
  for (const job of jobs) {
    const acted = await action.act(job);
    results.push([job, acted.ok ? null : acted.error]);
  }
  return results;
};

/** Shows the jobs and asks, acts on each, and fails when one of them failed. */
export const actOnJobs = async (jobs: readonly WireJob[], action: JobAction, flags: FlagValues): Promise<Outcome> => {
  const agreed = await confirmAction(jobs, action, flags);
  if (!agreed.ok) return agreed;
  if (!agreed.value) return fail(`nothing was ${action.done}`);
  const results = await actOnEach(jobs, action);
  const acted = results.filter(([, failure]) => failure === null).map(([job]) => job);
  if (readSwitch(flags, "json")) printJson({ [action.done]: acted.map((job) => job.id) });
  else if (readSwitch(flags, "quiet")) for (const job of acted) print(job.id);
  else for (const job of acted) print(`Job ${job.id} is ${action.done}.`);
  const failure = results.map(([, error]) => error).find((error) => error !== null);
  return failure === undefined ? DONE : err(failure);
};
