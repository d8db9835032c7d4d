import { collectInTurns } from "../../../../tools/give-way.ts";
import type { Amount } from "../../../core/jobs/job.ts";
import {
  addAmounts,
  type ByteText,
  chooseName,
  decideFate,
  type Fate,
  type KeepRule,
} from "../../../core/running/outputs.ts";
import {
  type Entry,
  type Folder,
  joinPath,
  locateIn,
  moveEntry,
  openForOwner,
  readEntries,
  sayWhere,
  withFolder,
} from "./folder.ts";
import { createGoal, type Goal, type Reached } from "./goal.ts";
import { DEEPEST, isTooDeep, judgeFolder } from "./walk.ts";

/** `onRenamed` is told first of a file that gets another name, as its own is taken; `onMoved` of each that was moved. */
export type Move = Readonly<{
  rule: KeepRule;
  onRenamed: (path: ByteText, name: ByteText) => void;
  onMoved: () => void;
}>;

/** A folder to be moved out of: `path` is its own below the top. */
export type MoveSource = Readonly<{ folder: Folder; path: ByteText; isMadeAgain: boolean; goal: Goal }>;

type FileEntry = Entry & Readonly<{ kind: "file" | "link" | "other" }>;

type Judged = Readonly<{ file: FileEntry; fate: Exclude<Fate, "stay"> }>;

const isFile = (entry: Entry): entry is FileEntry => entry.kind !== "folder";

const checkEntries = ({ folder, path }: MoveSource, entries: readonly Entry[]): void => {
  if (isTooDeep(path)) throw new Error(`folders lie more than ${DEEPEST} deep`);
  const foreign = entries.find(({ device }) => device !== folder.device);
  if (foreign !== undefined) throw new Error(`${joinPath(path, foreign.name)} is another file system`);
};

const moveFile = (move: Move, { folder, path }: MoveSource, name: ByteText, target: Reached): void => {
  const chosen = chooseName(name, (one) => target.taken.has(one));
  target.taken.add(chosen);
  if (chosen !== name) move.onRenamed(joinPath(path, name), chosen);
  moveEntry(joinPath(path, name), locateIn(folder, name), locateIn(target.folder, chosen));
  move.onMoved();
};

const judgeFiles = function* (move: Move, source: MoveSource, files: readonly FileEntry[]): Generator<Judged | null> {
  for (const file of files) {
    const path = joinPath(source.path, file.name);
    const fate = decideFate({ ...file, path }, move.rule, source.isMadeAgain);
    yield fate === "stay" ? null : { file, fate };
  }
};

const moveAll = function* (
  move: Move,
  source: MoveSource,
  { names, target }: Readonly<{ names: readonly ByteText[]; target: Reached }>,
): Generator<null> {
  for (const name of names) {
    moveFile(move, source, name, target);
    yield null;
  }
};

const sumSizes = (files: readonly Entry[]): Amount => ({
  files: files.length,
  bytes: files.reduce((sum, { size }) => sum + Number(size), 0),
});

const moveOwnFiles = async (move: Move, source: MoveSource, files: readonly FileEntry[]): Promise<Amount> => {
  const judged = await collectInTurns(judgeFiles(move, source, files));
  const names = judged.flatMap(({ file, fate }) => (fate === "keep" ? [file.name] : []));
  if (names.length > 0) await collectInTurns(moveAll(move, source, { names, target: await source.goal.reach() }));
  return sumSizes(judged.flatMap(({ file, fate }) => (fate === "leave out" ? [file] : [])));
};

const moveFolder = async (move: Move, source: MoveSource, entry: Entry): Promise<Amount> => {
  const path = joinPath(source.path, entry.name);
  const goal = createGoal(source.goal, entry, (name) => move.onRenamed(path, name));
  try {
    const opened = sayWhere(path, openForOwner(source.folder, entry));
    return await withFolder(opened, (folder) => moveFiles(move, { ...source, folder, path, goal }));
  } finally {
    await goal.leave();
  }
};

/** Moves what is new or changed out of a folder and those in it; returns what of that was left out. Throws where a part can't be moved; what was moved until then is. */
export const moveFiles = async (move: Move, above: MoveSource): Promise<Amount> => {
  const entries = await readEntries(above.folder);
  checkEntries(above, entries);
  const source = { ...above, isMadeAgain: judgeFolder(above, entries) };
  let leftOut = await moveOwnFiles(move, source, entries.filter(isFile));
  for (const entry of entries) {
    if (entry.kind === "folder") leftOut = addAmounts(leftOut, await moveFolder(move, source, entry));
  }
  return leftOut;
};
