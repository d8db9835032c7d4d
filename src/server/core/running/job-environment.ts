import { isOfItsPlace } from "../../../base/own-variables.ts";
import { RUN_NOW_PRIORITY } from "../../../wire/job.ts";
import { numberAttempt } from "../jobs/attempt.ts";
import type { JobSpec, Launch } from "../jobs/job.ts";
import type { Gpu } from "../queue/gpu.ts";
import type { Environment } from "../store.ts";
import { nameDevices } from "./job-devices.ts";

type ServerEnvironment = Readonly<Record<string, string | undefined>>;

const isInherited = (name: string, value: string | undefined): value is string =>
  value !== undefined && !isOfItsPlace(name);

const inheritEnvironment = (serverEnv: ServerEnvironment): Environment => {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(serverEnv)) {
    if (isInherited(name, value)) inherited[name] = value;
  }
  return inherited;
};

const NOBODY_SITS_THERE: Environment = { PAGER: "cat", GIT_PAGER: "cat", GIT_TERMINAL_PROMPT: "0" };

type Described = Pick<
  JobSpec,
  "id" | "priority" | "gitTag" | "gitBranch" | "gitRepoUrl" | "code" | "timeLimitS" | "past"
> &
  Pick<Launch, "dir" | "startedAt">;

const keepSaid = (variables: Readonly<Record<string, string | null>>): Environment =>
  Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));

const describeGit = ({ gitTag, gitBranch, gitRepoUrl, code, dir }: Described): Environment => ({
  ...keepSaid({
    NEXUS_GIT_TAG: gitTag,
    NEXUS_GIT_COMMIT: code.commit,
    NEXUS_GIT_BRANCH: gitBranch,
    NEXUS_GIT_DIRTY: code.isDirty === null ? null : String(Number(code.isDirty)),
    WANDB_GIT_COMMIT: code.commit,
    WANDB_GIT_REMOTE_URL: gitRepoUrl,
  }),
  GIT_CEILING_DIRECTORIES: dir.slice(0, dir.lastIndexOf("/")),
});

const describeDeadline = ({ startedAt, timeLimitS = null }: Described): Environment =>
  timeLimitS === null ? {} : { NEXUS_DEADLINE: String(Math.floor(startedAt + timeLimitS)) };

/**
 * At the terminal of a queued job nobody sits, so no pager shall wait there for a key. The job's own variables win over all but `NEXUS_JOB_ID`, by which its processes are told from those of other jobs, the deadline, the attempt, and
 * `NEXUS_OUTPUT_DIR`, where what it makes is kept. `gpus` are those that it was given. Git takes no repository above the job's
 * folder for the job's.
 */
export const buildJobEnvironment = (
  serverEnv: ServerEnvironment,
  job: Described,
  gpus: readonly Gpu[],
  jobEnv: Environment,
): Environment => ({
  ...inheritEnvironment(serverEnv),
  ...(job.priority === RUN_NOW_PRIORITY ? {} : NOBODY_SITS_THERE),
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  ...nameDevices(gpus),
  ...describeGit(job),
  ...jobEnv,
  ...describeDeadline(job),
  NEXUS_ATTEMPT: String(numberAttempt(job)),
  NEXUS_JOB_ID: job.id,
  NEXUS_OUTPUT_DIR: `${job.dir}/outputs`,
});
