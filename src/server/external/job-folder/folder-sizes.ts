import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../../../tools/remove-tree.ts";
import { runCommand } from "../../../tools/run-command.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { JobFolders } from "../../core/upkeep/folder-plan.ts";
import { JOB_FILES, locateJobFiles, locateJobFolder, locateJobs } from "./job-paths.ts";

const JOB_ID = /^[a-z0-9-]{1,64}$/;
const KEPT: ReadonlySet<string> = new Set([
  JOB_FILES.record,
  JOB_FILES.exitCode,
  JOB_FILES.started,
  JOB_FILES.terminated,
]);
const HOLD_OUTPUTS: ReadonlySet<string> = new Set([
  JOB_FILES.outputs,
  JOB_FILES.repo,
  JOB_FILES.manifest,
  JOB_FILES.renamed,
  JOB_FILES.attempts,
]);
const CLAIM = /^claim-[0-9a-z]+$/;
const SIZE_LINE = /^(\d+)\s+(.+)$/;
const LIMITS = { timeoutMs: 600_000, maxOutputBytes: 10_000_000 };
const MS_PER_S = 1000;
const BYTES_PER_BLOCK = 1024;

const listNames = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

const readChangeTime = (path: string): Promise<number> =>
  lstat(path).then(
    ({ mtimeMs }) => mtimeMs / MS_PER_S,
    () => 0,
  );

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

const measureFolders = async (paths: readonly string[]): Promise<ReadonlyMap<string, number>> => {
  const output = paths.length === 0 ? null : await runCommand(["du", "-sk", "--", ...paths], LIMITS);
  const lines = output?.ok ? output.value.stdout.split("\n") : [];
  return new Map(
    lines.flatMap((line) => {
      const [, blocks, path] = SIZE_LINE.exec(line) ?? [];
      return path === undefined ? [] : [[path, Number(blocks) * BYTES_PER_BLOCK] as const];
    }),
  );
};

const isKept = (name: string, keepsOutputs: boolean): boolean =>
  KEPT.has(name) || CLAIM.test(name) || (keepsOutputs && HOLD_OUTPUTS.has(name));

const clearFolder = async (folder: string, keepsOutputs: boolean): Promise<void> => {
  if (!(await isFolder(folder))) return removeTree(folder);
  const others = (await listNames(folder)).filter((name) => !isKept(name, keepsOutputs));
  for (const name of others) await removeTree(join(folder, name));
};

/** Links are not followed; sizes are what the disk gives up. */
export const createJobFolders = (serverDir: string): JobFolders => {
  const locate = (id: JobId): string => locateJobFolder(serverDir, id);
  return {
    list: async () => (await listNames(locateJobs(serverDir))).filter((name) => JOB_ID.test(name)) as JobId[],
    measure: async (ids) => {
      const sizes = await measureFolders(ids.map(locate));
      const facts = ids.map(async (id) => {
        const isCleared = !(await isThere(locateJobFiles(serverDir, id).errorLog));
        const changedAt = await readChangeTime(locate(id));
        return [id, { changedAt, bytes: sizes.get(locate(id)) ?? 0, isCleared }] as const;
      });
      return new Map(await Promise.all(facts));
    },
    clear: (id, keepsRecord, keepsOutputs = false) =>
      keepsRecord || keepsOutputs ? clearFolder(locate(id), keepsOutputs) : removeTree(locate(id)),
  };
};
