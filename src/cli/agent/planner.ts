import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readSwitch, readWhole } from "../../command-line/flag-values.ts";
import { failUsage, UNREACHABLE, WRONG_USAGE } from "../../command-line/usage.ts";
import { type Answer, type Trouble, WRONG_ARGUMENTS } from "../../mcp/ask.ts";
import type { Again, Plan, PlannedCode, Planner, Wanted } from "../../mcp/plan.ts";
import { createTurnstile } from "../../tools/turnstile.ts";
import type { JobRequestInput, WireJob } from "../../wire/job.ts";
import { PRIORITY } from "../../wire/limits.ts";
import { takeSnapshot } from "../code/code-snapshot.ts";
import { type Api, createApi } from "../connection/api-client.ts";
import { NOT_LISTENING } from "../connection/api-failure.ts";
import { JOB_FIELDS } from "../fields/field-table.ts";
import { askJob } from "../jobs/ask-job.ts";
import { checkLinks } from "../project/check-links.ts";
import { readProject } from "../project/read-project.ts";
import { fitBatch } from "../submission/fit-batch.ts";
import { planSubmission } from "../submission/plan-submission.ts";
import { redoRequests } from "../submission/redo/redo-requests.ts";
import { submitAgain } from "../submission/redo/submit-again.ts";
import { submitBatch } from "../submission/submit-jobs.ts";
import type { Target } from "../targets/target.ts";
import { collectHints } from "../terminal/output.ts";

type Requests = readonly JobRequestInput[];
type Submit = () => Promise<Result<readonly WireJob[], Failure>>;
type Drafted = Readonly<{ requests: Requests; code: PlannedCode | null; submit: Submit }>;
type InTurn = <Value>(
  work: () => Promise<Result<Value, Failure>>,
) => Promise<readonly [Result<Value, Trouble>, readonly string[]]>;

const nameCode = ({ exitCode }: Failure): string | null => {
  if (exitCode === WRONG_USAGE) return WRONG_ARGUMENTS;
  return exitCode === UNREACHABLE ? NOT_LISTENING : null;
};

const toTrouble = (failure: Failure & Readonly<{ code?: string | null }>): Trouble => ({
  code: failure.code ?? nameCode(failure),
  message: failure.message,
  ...(failure.hint === undefined ? {} : { hint: failure.hint }),
});

const chooseGpus = ({ gpus, gpu_idxs: idxs }: Pick<Wanted, "gpus" | "gpu_idxs">): FlagValues => ({
  ...(idxs === undefined ? {} : { "gpu-idxs": idxs.join(",") }),
  ...(gpus === undefined ? {} : gpus === 0 ? { cpu: true } : { gpus: String(gpus) }),
});

const listPairs = (env: Wanted["env"]): readonly string[] =>
  Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);

const toFlags = (asked: Omit<Wanted, "commands" | "code">): FlagValues => ({
  yes: true,
  literal: true,
  env: listPairs(asked.env),
  ...chooseGpus(asked),
  ...(asked.priority === undefined ? {} : { priority: String(asked.priority) }),
  ...(asked.outputs === undefined ? {} : { outputs: asked.outputs }),
});

const lookAtCode = async (requests: Requests, target: Target): Promise<Result<PlannedCode, Failure>> => {
  const folder = process.cwd();
  const snapshot = await takeSnapshot(folder);
  if (snapshot === null)
    return failUsage(`${folder} is in no git repository: with code false the jobs run without code`);
  if (!snapshot.ok) return snapshot;
  const { branch, commit, isDirty: dirty, treeSha: tree, dispose } = snapshot.value;
  const checked = await checkLinks(snapshot.value, requests, target);
  dispose();
  return checked.ok ? ok({ folder, branch, commit, dirty, tree }) : checked;
};

const draftNew = async (api: Api, { commands, code, ...wanted }: Wanted): Promise<Result<Drafted, Failure>> => {
  const { gpus, gpu_idxs, priority: rank, env, outputs, ...fields } = wanted;
  const asked = { gpus, gpu_idxs, priority: rank, env, outputs };
  const planned = await planSubmission(
    { ...toFlags(asked), ...(code === false ? { "no-git": true } : {}) },
    api.target,
    JOB_FIELDS,
  );
  if (!planned.ok) return planned;
  const { flags, options } = planned.value;
  const priority = readWhole(flags, "priority", PRIORITY);
  if (!priority.ok) return priority;
  const fitting = fitBatch(
    commands.map((command) => ({ ...options, ...fields, command, priority: priority.value ?? 0 })),
    {},
  );
  if (!fitting.ok) return fitting;
  const requests = fitting.value;
  const submit: Submit = () => submitBatch(api, flags, requests);
  if (readSwitch(flags, "no-git")) return ok({ requests, code: null, submit });
  const looked = await lookAtCode(requests, api.target);
  return looked.ok ? ok({ requests, code: looked.value, submit }) : looked;
};

const draftAgain = async (
  api: Api,
  { id, command, without = [], ...asked }: Again,
): Promise<Result<Drafted, Failure>> => {
  const job = await askJob(api, id);
  if (!job.ok) return job;
  const { target } = api;
  const flags = { ...toFlags(asked), without };
  const project = await readProject(flags, target.name);
  if (!project.ok) return project;
  const wanted = {
    flags,
    command: command === undefined ? undefined : [command],
    reading: "literal",
    project: project.value,
    target,
  } as const;
  const requests = await redoRequests([job.value], wanted);
  if (!requests.ok) return requests;
  const submit: Submit = () => submitAgain(api, flags, [job.value])(requests.value);
  return ok({ requests: requests.value, code: null, submit });
};

const createInTurn = (): InTurn => {
  const takeTurn = createTurnstile();
  return (work) =>
    takeTurn(async () => {
      const [done, notes] = await collectHints(work);
      return [done.ok ? done : { ok: false, error: toTrouble(done.error) }, notes];
    });
};

const plan = async (inTurn: InTurn, draft: () => Promise<Result<Drafted, Failure>>): Answer<Plan> => {
  const [drafted, notes] = await inTurn(draft);
  if (!drafted.ok) return drafted;
  const { requests, code, submit } = drafted.value;
  return ok({
    requests,
    code,
    notes,
    submit: async () => {
      const [jobs, said] = await inTurn(submit);
      return jobs.ok ? ok({ jobs: jobs.value, notes: said }) : jobs;
    },
  });
};

/** Plans as `nx add` and `nx redo` do, with the code of the folder that `nx mcp` was started in. One at a time. */
export const createPlanner = (target: Target): Planner => {
  const inTurn = createInTurn();
  return {
    planNew: (wanted) => plan(inTurn, () => draftNew(createApi(target), wanted)),
    planAgain: (again) => plan(inTurn, () => draftAgain(createApi(target), again)),
  };
};
