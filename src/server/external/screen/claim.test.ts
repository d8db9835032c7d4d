import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type Bench, createBench, createStartingJob } from "../../../../tests/support/screen-bench.ts";
import { locateJobFiles } from "../job-folder/job-paths.ts";
import { findLaunched, readClaim, revokeLaunch, waitForCompleteClaim } from "./claim.ts";
import { locateClaim } from "./job-files.ts";

let bench: Bench;

beforeEach(() => {
  bench = createBench();
});

afterEach(() => bench.dispose());

const createLaunch = () => {
  const job = createStartingJob();
  const paths = locateJobFiles(bench.serverDir, job.id);
  mkdirSync(paths.dir, { recursive: true });
  return { job, paths, claim: locateClaim(paths, job) };
};

test("a launch is taken back once and for all, and not after it was claimed", () => {
  const [revoked, claimed, begun] = [createLaunch(), createLaunch(), createLaunch()];
  writeFileSync(claimed.claim, "12 11 ab-cd\n");
  writeFileSync(begun.claim, "");
  expect([revoked, revoked, claimed, begun].map(({ job, paths }) => revokeLaunch(paths, job))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(readClaim(revoked.paths, revoked.job)).toEqual({ kind: "revoked" });
});

test("a claim that could not be read and is there when the launch is taken back stands", () => {
  const { job, paths, claim } = createLaunch();
  symlinkSync("nowhere", claim);
  expect(readClaim(paths, job)).toBeNull();
  expect(revokeLaunch(paths, job)).toBe(false);
});

test("a claim that is half written is waited for", async () => {
  const { job, paths, claim } = createLaunch();
  writeFileSync(claim, "");
  const waiting = waitForCompleteClaim(paths, job);
  writeFileSync(claim, "12 11 ab-cd\n");
  await waiting;
  expect(readClaim(paths, job)).toEqual({ kind: "launched", outerPid: 12, screenPid: 11, bootId: "ab-cd" });
});

test("the claim of an earlier attempt is that of no later one", () => {
  const { job, paths, claim } = createLaunch();
  writeFileSync(claim, "12 11 ab-cd\n");
  const attempt = {
    startedAt: job.startedAt,
    endedAt: 9,
    gpuIdxs: [],
    exitCode: 1,
    reason: null,
    cause: "exit",
  } as const;
  const past = { attempts: [attempt], retryAt: 9, dir: paths.dir, hasWork: false, messages: {} };
  expect(findLaunched(paths, job)).toMatchObject({ outerPid: 12 });
  expect(findLaunched(paths, { past })).toBeNull();
});
