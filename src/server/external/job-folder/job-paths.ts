import { resolve } from "node:path";
import type { JobId } from "../../core/jobs/job.ts";

export type JobPaths = Readonly<{
  dir: string;
  script: string;
  commands: string;
  screenrc: string;
  record: string;
  artifact: string;
  repo: string;
  outputLog: string;
  errorLog: string;
  exitCode: string;
  pending: string;
  pendingExitCode: string;
  started: string;
  terminated: string;
}>;

export const locateJobFiles = (serverDir: string, id: JobId): JobPaths => {
  const dir = resolve(serverDir, "jobs", id);
  return {
    dir,
    script: `${dir}/run.sh`,
    commands: `${dir}/job_commands.sh`,
    screenrc: `${dir}/screenrc`,
    record: `${dir}/job.json`,
    artifact: `${dir}/artifact`,
    repo: `${dir}/repo`,
    outputLog: `${dir}/output.log`,
    errorLog: `${dir}/error.log`,
    exitCode: `${dir}/exit_code`,
    pending: `${dir}/pending`,
    pendingExitCode: `${dir}/pending/exit_code`,
    started: `${dir}/started`,
    terminated: `${dir}/terminated`,
  };
};
