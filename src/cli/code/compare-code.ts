import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail, WRONG_STATE } from "../../command-line/usage.ts";
import type { WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { openCode, unpackCode } from "./fetch-code.ts";
import { createKeptFolder, type KeptFolder } from "./kept-folder.ts";
import { runGit } from "./run-git.ts";

/** `patch` is empty for the same code, and null where that of job `gone` is no longer kept. */
export type ComparedCode = Readonly<{ patch: string; gone: null } | { patch: null; gone: string }>;

const DIFFERENT = 1;
const DIFF = ["diff", "--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-prefix", "--"];

const isSame = (a: WireJob, b: WireJob): boolean =>
  a.artifact_id === b.artifact_id || (a.git_tree !== null && a.git_tree === b.git_tree);

const isGone = ({ exitCode }: Failure): boolean => exitCode === WRONG_STATE;

const fetchOne = async (api: Api, { id, artifact_id }: WireJob, kept: KeptFolder): Promise<Result<string, Failure>> => {
  if (artifact_id === null) {
    mkdirSync(join(kept.folder, id));
    return ok(id);
  }
  const body = await openCode(api, id);
  if (!body.ok) return body;
  const unpacked = await unpackCode(body.value, kept, id);
  return unpacked.ok ? ok(id) : unpacked;
};

const diffFolders = (folder: string, a: string, b: string): Result<ComparedCode, Failure> => {
  const { text, status, problem } = runGit(folder, [...DIFF, a, b], { env: { GIT_CEILING_DIRECTORIES: folder } });
  const isCompared = status === 0 || status === DIFFERENT;
  return isCompared ? ok({ patch: text, gone: null }) : fail(`git can't compare the code: ${problem}`);
};

const compareIn = async (
  api: Api,
  jobs: readonly [WireJob, WireJob],
  kept: KeptFolder,
): Promise<Result<ComparedCode, Failure>> => {
  for (const job of jobs) {
    const fetched = await fetchOne(api, job, kept);
    if (!fetched.ok) return isGone(fetched.error) ? ok({ patch: null, gone: job.id }) : fetched;
  }
  return diffFolders(kept.folder, jobs[0].id, jobs[1].id);
};

/** As a patch from the code of the one to that of the other, made of both in a folder that is removed again. */
export const compareCode = async (api: Api, a: WireJob, b: WireJob): Promise<Result<ComparedCode, Failure>> => {
  if (isSame(a, b)) return ok({ patch: "", gone: null });
  const kept = createKeptFolder(join(tmpdir(), "nx-diff-"));
  try {
    return await compareIn(api, [a, b], kept);
  } finally {
    kept.dispose();
  }
};
