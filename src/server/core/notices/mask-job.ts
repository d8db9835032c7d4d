import { maskSecrets } from "../../../base/secret-names.ts";
import type { Past } from "../jobs/attempt.ts";
import { isEnded, type Job } from "../jobs/job.ts";

const maskPast = (past: Past, mask: (text: string | null) => string | null): Past => ({
  ...past,
  attempts: past.attempts.map((one) => ({ ...one, reason: mask(one.reason) })),
});

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
    ...(job.past === undefined ? {} : { past: maskPast(job.past, mask) }),
  };
  return isEnded(masked) ? { ...masked, errorMessage: mask(masked.errorMessage) } : masked;
};
