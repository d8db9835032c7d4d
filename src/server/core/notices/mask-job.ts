import { maskSecrets } from "../../../base/secret-names.ts";
import { isEnded, type Job } from "../jobs/job.ts";

/** The job, with what its owner wrote or its log said masked. */
export const maskJob = (job: Job, secrets: readonly string[]): Job => {
  const mask = (text: string | null): string | null => (text === null ? null : maskSecrets(text, secrets));
  const notes = job.notes.map((note) => maskSecrets(note, secrets));
  const masked = {
    ...job,
    command: maskSecrets(job.command, secrets),
    gitRepoUrl: mask(job.gitRepoUrl),
    jobrc: null,
    notes,
  };
  return isEnded(masked) ? { ...masked, errorMessage: mask(masked.errorMessage) } : masked;
};
