import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { ActiveJob } from "../../core/job.ts";
import { type JobPaths, locateClaim, readTextIfThere } from "./job-files.ts";

/**
 * The first act of a launched `run.sh`, or of a server that makes sure that it never acts. `incomplete` is for the
 * moment between the two steps of `run.sh`, or for ever if it died between them; it ran nothing then.
 */
export type Claim =
  | Readonly<{ kind: "launched"; outerPid: number; screenPid: number; bootId: string }>
  | Readonly<{ kind: "incomplete" }>
  | Readonly<{ kind: "revoked" }>;

const REVOKED = "revoked\n";
const LAUNCHED = /^(\d+) (\d+) ([0-9a-f-]+)\n$/;

const isTaken = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST";

export const readClaim = (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): Claim | null => {
  const text = readTextIfThere(locateClaim(paths, job));
  if (text === null) return null;
  if (text === REVOKED) return { kind: "revoked" };
  const [, outerPid, screenPid, bootId] = LAUNCHED.exec(text) ?? [];
  if (bootId === undefined) return { kind: "incomplete" };
  return { kind: "launched", outerPid: Number(outerPid), screenPid: Number(screenPid), bootId };
};

/** True if from now on this launch can never start; false if it has. */
export const revokeLaunch = (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): boolean => {
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
  const claim = locateClaim(paths, job);
  const draft = `${claim}.new`;
  writeFileSync(draft, REVOKED, { mode: 0o600 });
  try {
    linkSync(draft, claim);
    return true;
  } catch (error) {
    if (isTaken(error)) return readClaim(paths, job)?.kind === "revoked";
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const COMPLETION_POLL_MS = 2;
const COMPLETION_POLLS = 50;

/** Gives a `run.sh` that is claiming its launch right now the moment that it needs. */
export const waitForCompleteClaim = async (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): Promise<void> => {
  for (let poll = 0; poll < COMPLETION_POLLS && readClaim(paths, job)?.kind === "incomplete"; poll += 1) {
    await pause(COMPLETION_POLL_MS);
  }
};
