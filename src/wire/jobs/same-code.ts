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

/** What a job may be given again that was started at once, ahead of all. */
export const repeatPriority = (job: WireJob, most: number): number => (job.priority > most ? 0 : job.priority);
