import { appendToRegular } from "../../../../tools/write-regular.ts";
import { type Amount, NO_FILES } from "../../../core/jobs/job.ts";
import { addAmounts, type ByteText, type KeepRule, type Kept } from "../../../core/running/outputs.ts";
import { JOB_FILES, type JobPaths } from "../job-paths.ts";
import {
  decodeText,
  encodeText,
  type Folder,
  findEntry,
  letOwnerRead,
  makeFolderIn,
  openFolder,
  openForOwner,
  sayWhere,
  withFolder,
} from "./folder.ts";
import { type Reached, reachFolder } from "./goal.ts";
import { readSmallFile } from "./manifest.ts";
import { moveFiles } from "./move-files.ts";
import { DEEPEST, type Way, walkFiles } from "./walk.ts";

export type Keeping = Readonly<{ paths: JobPaths; rule: KeepRule; onMoved: () => void }>;

const TOLD = 20;
const MODE = 0o755;

const openOwn = async (job: Folder, name: ByteText): Promise<Folder | null> => {
  const entry = findEntry(job, name);
  if (entry === null) return null;
  if (entry.kind !== "folder") throw new Error(`${name}/ is no folder any more`);
  return openForOwner(job, entry);
};

const createRecord =
  (path: string) =>
  (from: ByteText, name: ByteText): void =>
    appendToRegular(path, encodeText(`${from}\0${name}\0`));

const moveOut = async ({ paths, rule, onMoved }: Keeping, job: Folder, outputs: Folder): Promise<Amount> => {
  const repo = await openOwn(job, JOB_FILES.repo);
  if (repo === null) return NO_FILES;
  let reached: Promise<Reached> | null = null;
  const reach = (): Promise<Reached> => {
    reached ??= reachFolder(outputs);
    return reached;
  };
  const goal = { reach, leave: async () => undefined };
  const move = { rule, onMoved, onRenamed: createRecord(paths.renamed) };
  return withFolder(Promise.resolve(repo), (folder) => moveFiles(move, { folder, path: "", isMadeAgain: false, goal }));
};

const countFiles = async (outputs: Folder): Promise<Pick<Kept, "files" | "bytes" | "tooDeep">> => {
  let [total, tooDeep] = [NO_FILES, 0];
  const way: Way = {
    enter: (folder, entry) => openForOwner(folder, entry).catch(() => null),
    onTooDeep: () => {
      tooDeep += 1;
    },
  };
  for await (const { folder, entry } of walkFiles({ folder: outputs, path: "", isMadeAgain: false }, way)) {
    await letOwnerRead(folder, entry).catch(() => undefined);
    total = addAmounts(total, { files: 1, bytes: entry.kind === "file" ? Number(entry.size) : 0 });
  }
  return { ...total, tooDeep };
};

const describeTooDeep = (tooDeep: number): readonly string[] =>
  tooDeep === 0
    ? []
    : [
        `Folders that lie more than ${DEEPEST} deep in outputs/ are kept, but neither listed nor fetched: nx pull leaves them out`,
      ];

const readRenamed = async (path: string): Promise<readonly string[]> => {
  const parts = ((await readSmallFile(path)) ?? "").split("\0").map(decodeText);
  const told = parts.flatMap((name, index) =>
    index % 2 === 1 ? [`${parts[index - 1]} is kept as ${name}: its name was taken`] : [],
  );
  const lines = [...new Set(told)];
  const more = lines.length - TOLD;
  return more <= 0 ? lines : [...lines.slice(0, TOLD), `${more} more files are kept under another name`];
};

/** Goes on where an earlier call was cut off. Throws where something can't be kept: nothing is removed then. */
export const keepFiles = (keeping: Keeping): Promise<Kept> =>
  withFolder(openFolder(keeping.paths.dir), async (job) => {
    const opened =
      (await openOwn(job, JOB_FILES.outputs)) ??
      (await sayWhere("outputs", makeFolderIn(job, JOB_FILES.outputs, MODE)));
    return withFolder(Promise.resolve(opened), async (outputs) => {
      const leftOut = await moveOut(keeping, job, outputs);
      const total = await countFiles(outputs);
      const notes = [...(await readRenamed(keeping.paths.renamed)), ...describeTooDeep(total.tooDeep)];
      return { ...total, leftOut, notes };
    });
  });
