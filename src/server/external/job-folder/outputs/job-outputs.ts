import { rm } from "node:fs/promises";
import { describeError } from "../../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../../base/result.ts";
import { listPast } from "../../../core/jobs/attempt.ts";
import type { EndedJob, Job, JobId } from "../../../core/jobs/job.ts";
import { listAttempts } from "../../../core/jobs/job-attempts.ts";
import type { ByteText, JobOutputs, Kept, ReadableFile } from "../../../core/running/outputs.ts";
import type { OnStep } from "../../../core/telemetry/steps.ts";
import { listAside, locateAttempt } from "../attempt-files.ts";
import { JOB_FILES, type JobPaths, locateJobFiles } from "../job-paths.ts";
import { isThere, removeAside } from "../remove-aside.ts";
import { hasStarted, isEmptyFolder } from "./has-started.ts";
import { keepFiles } from "./keep-files.ts";
import { createRule } from "./keep-rule.ts";
import { describeFileOf, type Opened, openFileIn, openFolderAt, toStream } from "./open-file.ts";
import { packFiles } from "./pack-files.ts";
import { hasUnmoved, listFiles, type View } from "./view-files.ts";

const isUnmoved = async (paths: JobPaths): Promise<boolean> => !isEmptyFolder(paths.repo) && hasStarted(paths);

const holdsWork = async (paths: JobPaths): Promise<boolean> =>
  (await isUnmoved(paths)) || !isEmptyFolder(paths.outputs);

type Place = Readonly<{ paths: JobPaths; isUnmoved: boolean }>;

const findPlace = (paths: JobPaths, job: Job, asked: number | null): Place => {
  const count = Math.max(1, listAttempts(job).length);
  const attempt = asked ?? count;
  const own = listPast(job).length === 0 ? paths : locateAttempt(paths, attempt);
  const isBetween = job.status === "queued" && listPast(job).length > 0;
  return { paths: own, isUnmoved: isBetween || attempt < count || hasUnmoved(job) };
};

const createView = async ({ paths, isUnmoved }: Place, job: Job): Promise<View> => ({
  dir: paths.dir,
  repoRule: isUnmoved ? await createRule(paths, job) : null,
});

const keep = async (
  paths: JobPaths,
  job: EndedJob,
  { onStep, signal }: Readonly<{ onStep: OnStep | undefined; signal: AbortSignal | undefined }>,
): Promise<Result<Kept, Problem>> => {
  try {
    const rule = await createRule(paths, job);
    const onMoved = (): void => {
      onStep?.("file moved");
      signal?.throwIfAborted();
    };
    return ok(await keepFiles({ paths, rule, onMoved }));
  } catch (error) {
    return err({ message: describeError(error).split("\n")[0] ?? "" });
  }
};

const openFrom = async (dir: string, part: string, path: ByteText): Promise<Opened | null> => {
  const names = [part, ...path.split("/")];
  const folder = await openFolderAt(dir, names.slice(0, -1));
  if (folder === null) return null;
  try {
    return await openFileIn(folder, names.at(-1) ?? "");
  } finally {
    await folder.handle.close();
  }
};

const openFile = async ({ paths, isUnmoved }: Place, path: ByteText): Promise<ReadableFile | null> => {
  const parts = isUnmoved ? [JOB_FILES.outputs, JOB_FILES.repo] : [JOB_FILES.outputs];
  for (const part of parts) {
    const found = await describeFileOf(() => openFrom(paths.dir, part, path));
    if (found !== null) return found;
  }
  return null;
};

const packView = async function* (
  open: () => Promise<View>,
  globs: readonly string[],
): AsyncGenerator<Uint8Array, void> {
  yield* packFiles(await open(), globs);
};

const createReads = (locate: (id: JobId) => JobPaths, attempt: number | null): ReturnType<JobOutputs["ofAttempt"]> => {
  const find = (job: Job): Place => findPlace(locate(job.id), job, attempt);
  return {
    list: async (job, below, page) => listFiles(await createView(find(job), job), { below, ...page }),
    open: (job, path) => openFile(find(job), path),
    pack: (job, globs) => toStream(packView(() => createView(find(job), job), globs)),
  };
};

export const createJobOutputs = (serverDir: string, onStep?: OnStep): JobOutputs => {
  const locate = (id: JobId): JobPaths => locateJobFiles(serverDir, id);
  const removeParts = async (parts: readonly string[]): Promise<void> => {
    for (const part of parts) await removeAside(serverDir, part);
  };
  return {
    holdsWork: (id) => holdsWork(locate(id)),
    isUnmoved: (id) => isUnmoved(locate(id)),
    isThere: (id) => isThere(locate(id).outputs),
    keep: (job, signal) => keep(locate(job.id), job, { onStep, signal }),
    finish: async (id) => {
      const { repo, manifest, renamed } = locate(id);
      await removeParts([repo]);
      for (const path of [manifest, renamed]) await rm(path, { force: true });
    },
    ...createReads(locate, null),
    ofAttempt: (attempt) => createReads(locate, attempt),
    remove: async (id) => {
      const paths = locate(id);
      const aside = listAside(paths).flatMap(({ outputs, repo }) => [outputs, repo]);
      await removeParts([...((await hasStarted(paths)) ? [paths.outputs, paths.repo] : [paths.outputs]), ...aside]);
    },
  };
};
