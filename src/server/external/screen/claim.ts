import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { readErrorCode } from "../../../base/error-code.ts";
import { listPast } from "../../core/jobs/attempt.ts";
import type { ActiveJob } from "../../core/jobs/job.ts";
import { CLAIM_NAME } from "../job-folder/attempt-files.ts";
import type { JobPaths } from "../job-folder/job-paths.ts";
import { locateClaim, nameClaim, readTextIfThere } from "./job-files.ts";

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

const isTaken = (error: unknown): boolean => readErrorCode(error) === "EEXIST";

const readClaimAt = (path: string): Claim | null => {
  const text = readTextIfThere(path);
  if (text === null) return null;
  if (text === REVOKED) return { kind: "revoked" };
  const [, outerPid, screenPid, bootId] = LAUNCHED.exec(text) ?? [];
  if (bootId === undefined) return { kind: "incomplete" };
  return { kind: "launched", outerPid: Number(outerPid), screenPid: Number(screenPid), bootId };
};

export const readClaim = (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): Claim | null =>
  readClaimAt(locateClaim(paths, job));

/** The claim of any launch that ran and is none of the job's earlier attempts. A queued job has one only when its database is older than its folder. */
export const findLaunched = (paths: JobPaths, job: Pick<ActiveJob, "past">): (Claim & { kind: "launched" }) | null => {
  const earlier = new Set(listPast(job).map(nameClaim));
  const names = existsSync(paths.dir) ? readdirSync(paths.dir) : [];
  for (const name of names.filter((one) => CLAIM_NAME.test(one) && !earlier.has(one))) {
    const claim = readClaimAt(`${paths.dir}/${name}`);
    if (claim?.kind === "launched") return claim;
  }
  return null;
};

/** True if from now on this launch can never start; false if it has. Throws when neither can be made sure, on a full disk for example. */
export const revokeLaunch = (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): boolean => {
  const earlier = readClaim(paths, job);
  if (earlier !== null) return earlier.kind === "revoked";
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
  const claim = locateClaim(paths, job);
  const draft = `${claim}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, REVOKED, { mode: 0o600, flag: "wx" });
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

/** Makes a launch of which nothing lives, and nothing of the job was reached, one that never was. Throws where that can't be written. */
export const withdrawLaunch = (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): void => {
  const claim = locateClaim(paths, job);
  const draft = `${claim}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, REVOKED, { mode: 0o600, flag: "wx" });
  renameSync(draft, claim);
};

const COMPLETION_POLL_MS = 2;
const COMPLETION_POLLS = 50;

/** Gives a `run.sh` that is claiming its launch right now the moment that it needs. */
export const waitForCompleteClaim = async (paths: JobPaths, job: Pick<ActiveJob, "startedAt">): Promise<void> => {
  for (let poll = 0; poll < COMPLETION_POLLS && readClaim(paths, job)?.kind === "incomplete"; poll += 1) {
    await pause(COMPLETION_POLL_MS);
  }
};
