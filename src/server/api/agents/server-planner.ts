import { err, ok, type Result } from "../../../base/result.ts";
import { type Ask, type Trouble, WRONG_ARGUMENTS } from "../../../mcp/ask.ts";
import type { Again, Plan, Planner, Wanted } from "../../../mcp/plan.ts";
import type { JobRequestInput, WireJob } from "../../../wire/job.ts";
import { sameFields } from "../../../wire/job-fields/same-fields.ts";
import { repeatPriority, sameCode, sameRun } from "../../../wire/jobs/same-code.ts";
import { PRIORITY } from "../../../wire/limits.ts";

type Requests = readonly JobRequestInput[];

const NO_CODE =
  "no code travels this way: the jobs run in an empty folder (redo runs a job's code again; nx mcp sends code)";
const NAMELESS = "who the jobs are for is not known: send the header X-Nexus-User, or use a token of your own";

const refuse = (message: string): Result<never, Trouble> => err({ code: WRONG_ARGUMENTS, message });

const plan = (ask: Ask, requests: Requests, notes: readonly string[]): Plan => ({
  requests,
  code: null,
  notes,
  submit: async () => {
    const jobs = await ask.send<readonly WireJob[]>("POST", "/v1/jobs/batch", requests);
    return jobs.ok ? ok({ jobs: jobs.value, notes: [] }) : jobs;
  },
});

const chooseGpus = ({ gpus, gpu_idxs: idxs }: Pick<Wanted, "gpus" | "gpu_idxs">): Partial<JobRequestInput> => ({
  ...(gpus === undefined ? {} : { num_gpus: gpus }),
  ...(idxs === undefined ? {} : { gpu_idxs: [...idxs] }),
});

const planNew = (ask: Ask, user: string, wanted: Wanted): Result<Plan, Trouble> => {
  const { commands, priority = 0, env = {}, outputs, code, gpus, gpu_idxs, ...fields } = wanted;
  if (code === true) return refuse("code: no code can be sent this way; use nx mcp where the code is");
  const common = { user, priority, env: { ...env }, ...chooseGpus({ gpus, gpu_idxs }), ...fields };
  const kept = outputs === undefined ? {} : { output_globs: [...outputs] };
  const requests = commands.map((command) => ({ ...common, ...kept, command }));
  return ok(plan(ask, requests, code === undefined ? [NO_CODE] : []));
};

const findMissing = ({ env_names: names }: WireJob, { env = {}, without = [] }: Again): readonly string[] =>
  names.filter((name) => !Object.hasOwn(env, name) && !without.includes(name));

const repeatGpus = (job: WireJob, { gpus }: Again): Partial<JobRequestInput> => {
  if (gpus !== undefined) return { num_gpus: gpus };
  const idxs = job.requested_gpu_idxs;
  return { num_gpus: job.num_gpus, ...(idxs.length === 0 ? {} : { gpu_idxs: [...idxs] }) };
};

const repeat = (job: WireJob, again: Again, user: string): JobRequestInput => ({
  ...sameCode(job),
  ...sameRun(job),
  ...sameFields(job),
  ...repeatGpus(job, again),
  user,
  command: again.command ?? job.command,
  priority: again.priority ?? repeatPriority(job, PRIORITY.max),
  env: { ...again.env },
  notifications: job.notifications,
  ignore_blacklist: job.ignore_blacklist,
  output_globs: job.output_globs,
  links: job.links,
});

const planAgain = async (ask: Ask, user: string, again: Again): Promise<Result<Plan, Trouble>> => {
  const job = await ask.get<WireJob>(`/v1/jobs/${again.id}`);
  if (!job.ok) return job;
  const missing = findMissing(job.value, again);
  if (missing.length === 0) return ok(plan(ask, [repeat(job.value, again, user)], []));
  return refuse(
    `job ${again.id} had the variables ${missing.join(", ")}, whose values are wiped: give them in env, or leave them out with without`,
  );
};

/** Plans without the user's folder: with no code, or with that of a job. `user` is whose the jobs will be, null where that is not known. */
export const createServerPlanner = (ask: Ask, user: string | null): Planner => ({
  planNew: async (wanted) => (user === null ? refuse(NAMELESS) : planNew(ask, user, wanted)),
  planAgain: async (again) => (user === null ? refuse(NAMELESS) : planAgain(ask, user, again)),
});
