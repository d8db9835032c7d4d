import { chmod, lstat, mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { removeTree } from "../../../tools/remove-tree.ts";
import type { StartingJob } from "../../core/jobs/job.ts";
import type { JobWork } from "../../core/running/executor.ts";
import type { JobPaths } from "../job-folder/job-paths.ts";
import { KEYS } from "./keys.ts";
import { renderLaunchRecord } from "./launch-record.ts";
import { renderCommandScript, renderOuterScript } from "./run-script.ts";
import { numberNewest, setAside } from "./set-aside.ts";

const SCREENRC = `startup_message off
vbell off
autodetach on
deflogin off
defnonblock on
defutf8 on
defscrollback 10000
termcapinfo xterm* ti@:te@
termcapinfo rxvt*|vte*|alacritty*|kitty*|foot*|screen*|tmux* ti@:te@
${KEYS.join("\n")}
`;

const NOTHING_LEFT_OUT = `${"0".repeat(20)} ${"0".repeat(20)}\n`.repeat(2);
const EXIT_CODE_ROOM = "   \n";
const ANEW = { flag: "wx" } as const;

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const removeEarlierLaunch = async (paths: JobPaths, job: StartingJob): Promise<void> => {
  await setAside(paths, job);
  const stale = [
    paths.exitCode,
    paths.outputLog,
    paths.logCut,
    paths.logTimes,
    paths.errorLog,
    paths.started,
    paths.terminated,
    paths.pending,
    paths.repo,
    paths.manifest,
    paths.renamed,
    paths.input,
    paths.jobrcLine,
    paths.leftRunning,
  ];
  await Promise.all(stale.map(removeTree));
  await removeTree(paths.artifact);
  await chmod(paths.dir, 0o700);
};

const createPendingExitCode = async (paths: JobPaths): Promise<void> => {
  await mkdir(paths.pending, { mode: 0o700 });
  await writeFile(paths.pendingExitCode, EXIT_CODE_ROOM, ANEW);
};

const writeBeside = async (path: string, text: string): Promise<void> => {
  await removeTree(`${path}.new`);
  await writeFile(`${path}.new`, text, { mode: 0o600, flag: "wx" });
  if (await isFolder(path)) await removeTree(path);
  await rename(`${path}.new`, path);
};

const writeArtifact = async (path: string, chunks: Iterable<Uint8Array>): Promise<void> => {
  const file = await open(path, "wx", 0o600);
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
};

/** Leaves the job's folder as one that was never launched, but for the claims of earlier launches and what their commands left, which is set aside. Rejects on a full disk and the like. */
export const prepareJob = async (
  paths: JobPaths,
  job: StartingJob,
  {
    artifact,
    input,
    devices,
    maxLogGb,
  }: Pick<JobWork, "artifact" | "input" | "devices"> & Readonly<{ maxLogGb?: number | undefined }>,
): Promise<void> => {
  const isNew = (await mkdir(paths.dir, { recursive: true, mode: 0o700 })) !== undefined;
  if (!isNew) await removeEarlierLaunch(paths, job);
  await Promise.all([
    mkdir(paths.repo, { mode: 0o755 }),
    mkdir(paths.outputs, { mode: 0o755, recursive: true }),
    createPendingExitCode(paths),
    writeBeside(paths.script, renderOuterScript(job, maxLogGb)),
    writeFile(paths.logCut, NOTHING_LEFT_OUT, ANEW),
    writeFile(paths.logTimes, "", ANEW),
    writeBeside(paths.commands, renderCommandScript(job, { devices })),
    writeBeside(paths.screenrc, SCREENRC),
    writeBeside(paths.record, renderLaunchRecord(job)),
    writeFile(paths.errorLog, "", ANEW),
    numberNewest(paths, job),
    artifact === null ? undefined : writeArtifact(paths.artifact, artifact),
    input === null ? undefined : writeArtifact(paths.input, input),
  ]);
};
