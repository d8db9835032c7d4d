import { isEnded, type Job } from "../jobs/job.ts";

const MASK = "********";

const SECRET_NAME = /key|token|secret|passw|pwd|auth|cred|private|webhook|cookie|session|dsn|sid$|phone|number/i;
const RANDOM_TEXT = /^(?=.*[0-9])(?=.*[A-Za-z])[\w+/=.~-]{16,}$/;
const PATH_OR_NAME = /^[./~]|[/.](com|org|net|io|py|sh|json|ya?ml|txt)\b/;
const PASSWORD_IN_URL = /(:\/\/[^\s:/@]*:)[^\s:/@]+(?=@)/g;
const LEAST_LENGTH = 4;

const isSecret = (name: string, value: string): boolean =>
  SECRET_NAME.test(name) || (RANDOM_TEXT.test(value) && !PATH_OR_NAME.test(value));

/** Values of the environment that must not be shown, longest first: by their name, or because they look random. */
export const listSecrets = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(env)
    .filter(([name, value]) => isSecret(name, value))
    .flatMap(([, value]) => [value, ...value.split(/\r?\n/)])
    .map((value) => value.trim())
    .filter((value) => value.length >= LEAST_LENGTH)
    .toSorted((a, b) => b.length - a.length);

/** Also hides the password of any URL. */
export const maskSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .reduce((masked, secret) => masked.replaceAll(secret, MASK), text)
    .replaceAll(PASSWORD_IN_URL, (_match, start: string) => `${start}${MASK}`);

/** The job, with what its owner wrote or its log said masked. */
export const maskJob = (job: Job, secrets: readonly string[]): Job => {
  const mask = (text: string | null): string | null => (text === null ? null : maskSecrets(text, secrets));
  const masked = { ...job, command: maskSecrets(job.command, secrets), gitRepoUrl: mask(job.gitRepoUrl), jobrc: null };
  return isEnded(masked) ? { ...masked, errorMessage: mask(masked.errorMessage) } : masked;
};
