import type { JobRequestInput, WireJob } from "../job.ts";

/** Of a request for a job again what is about its code. */
export const sameCode = (job: WireJob): Partial<JobRequestInput> => ({
  artifact_id: job.artifact_id,
  git_repo_url: job.git_repo_url,
  git_branch: job.git_branch,
  git_tag: job.git_tag,
  git_commit: job.git_commit ?? null,
  git_tree: job.git_tree ?? null,
  git_dirty: job.git_dirty ?? null,
  code_root: job.code_root ?? null,
  workdir: job.workdir ?? null,
});

/** Of a request for a job again what its command runs with, beside its variables; a server of an earlier version tells no umask. */
export const sameRun = (job: WireJob): Partial<JobRequestInput> => ({
  integrations: job.integrations,
  jobrc: job.jobrc,
  input_artifact_id: job.input_artifact_id ?? null,
  ...(job.umask === undefined ? {} : { umask: job.umask }),
});

/** What a job may be given again that was started at once, ahead of all. */
export const repeatPriority = (job: WireJob, most: number): number => (job.priority > most ? 0 : job.priority);
