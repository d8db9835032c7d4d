import type { JobSpec } from "../jobs/job.ts";
import type { Environment } from "../store.ts";

type ServerEnvironment = Readonly<Record<string, string | undefined>>;

const SECRET_PREFIX = "NS_";

const OF_THE_SERVER_ALONE: ReadonlySet<string> = new Set([
  ...["NEXUS_JOB_ID", "NEXUS_GIT_TAG", "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES"],
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

/** The job's own variables win over all but `NEXUS_JOB_ID`, by which its processes are told from those of other jobs. */
export const buildJobEnvironment = (
  serverEnv: ServerEnvironment,
  job: Pick<JobSpec, "id" | "gitTag">,
  gpuIdxs: readonly number[],
  jobEnv: Environment,
): Environment => ({
  ...inheritEnvironment(serverEnv),
  CUDA_DEVICE_ORDER: "PCI_BUS_ID",
  CUDA_VISIBLE_DEVICES: gpuIdxs.join(","),
  ...(job.gitTag === null ? {} : { NEXUS_GIT_TAG: job.gitTag }),
  ...jobEnv,
  NEXUS_JOB_ID: job.id,
});
