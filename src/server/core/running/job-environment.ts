import type { JobSpec, Launch } from "../jobs/job.ts";
import type { Gpu } from "../queue/gpu.ts";
import type { Environment } from "../store.ts";
import { nameDevices } from "./job-devices.ts";

type ServerEnvironment = Readonly<Record<string, string | undefined>>;

const SECRET_PREFIX = "NS_";

const OF_THE_SERVER_ALONE: ReadonlySet<string> = new Set([
  ...["NEXUS_JOB_ID", "NEXUS_OUTPUT_DIR", "NEXUS_GIT_TAG", "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES"],
  ...["HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"],
  ...["STY", "WINDOW", "SCREENDIR", "SCREENRC", "SYSSCREENRC", "TMUX", "TMUX_PANE"],
  ...["TERM", "TERMCAP", "COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_"],
]);

const isInherited = (name: string, value: string | undefined): value is string =>
  value !== undefined && !name.startsWith(SECRET_PREFIX) && !OF_THE_SERVER_ALONE.has(name);

const inheritEnvironment = (serverEnv: ServerEnvironment): Environment => {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(serverEnv)) {
    if (isInherited(name, value)) inherited[name] = value;
  }
  return inherited;
};

/**
 * The job's own variables win over all but `NEXUS_JOB_ID`, by which its processes are told from those of other jobs, and
 * `NEXUS_OUTPUT_DIR`, where what it makes is kept. `gpus` are those that it was given.
 */
export const buildJobEnvironment = (
  serverEnv: ServerEnvironment,
  job: Pick<JobSpec, "id" | "gitTag"> & Pick<Launch, "dir">,
  gpus: readonly Gpu[],
  jobEnv: Environment,
): Environment => ({
  ...inheritEnvironment(serverEnv),
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  ...nameDevices(gpus),
  ...(job.gitTag === null ? {} : { NEXUS_GIT_TAG: job.gitTag }),
  ...jobEnv,
  NEXUS_JOB_ID: job.id,
  NEXUS_OUTPUT_DIR: `${job.dir}/outputs`,
});
