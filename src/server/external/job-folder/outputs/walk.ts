import { createTurns } from "../../../../tools/give-way.ts";
import { type ByteText, canBeMadeAgain, type FoundFile } from "../../../core/running/outputs.ts";
import { type Entry, type Folder, joinPath, readEntries } from "./folder.ts";

/** A file or link below a folder: `folder` is the one that it is in, open until the next is asked for. */
export type WalkedFile = Readonly<{
  folder: Folder;
  entry: Entry;
  file: FoundFile & Readonly<{ kind: "file" | "link" }>;
  isMadeAgain: boolean;
}>;

/** Opens a folder on the way; null passes over what is in it. */
export type Enter = (folder: Folder, entry: Entry) => Promise<Folder | null>;

/** `onTooDeep` is told of each folder that is passed over as it lies too deep. */
export type Way = Readonly<{ enter: Enter; onTooDeep?: (path: ByteText) => void }>;

/** How many folders lie in each other at most: each on the way is open, and each call waits for the next. */
export const DEEPEST = 200;

type Stop = Readonly<{ folder: Folder; path: ByteText; isMadeAgain: boolean }>;

export const isTooDeep = (path: ByteText): boolean => path.split("/").length > DEEPEST;

const isListed = (entry: Entry): entry is Entry & Readonly<{ kind: "file" | "link" }> =>
  entry.kind === "file" || entry.kind === "link";

/** Whether all in a folder with these entries can be made again; at the top, whose path is empty, that is never taken for granted. */
export const judgeFolder = ({ path, isMadeAgain }: Stop, entries: readonly Entry[]): boolean =>
  isMadeAgain ||
  (path !== "" && canBeMadeAgain(path.slice(path.lastIndexOf("/") + 1), new Set(entries.map(({ name }) => name))));

const sortByPath = (entries: readonly Entry[]): readonly Entry[] => {
  const byKey = new Map(entries.map((entry) => [entry.kind === "folder" ? `${entry.name}/` : entry.name, entry]));
  return [...byKey.keys()].toSorted().flatMap((key) => byKey.get(key) ?? []);
};

/** All files and links below a folder that do not lie too deep, in the order of their paths. */
export const walkFiles = async function* (stop: Stop, way: Way): AsyncGenerator<WalkedFile, void> {
  const { folder, path } = stop;
  const entries = sortByPath(await readEntries(folder));
  const takeTurn = createTurns();
  const isMadeAgain = judgeFolder(stop, entries);
  for (const entry of entries) {
    await takeTurn();
    const below = joinPath(path, entry.name);
    if (isListed(entry)) yield { folder, entry, file: { ...entry, path: below }, isMadeAgain };
    else if (entry.kind === "folder") yield* walkInto({ ...stop, path: below, isMadeAgain }, entry, way);
  }
};

const walkInto = async function* (above: Stop, entry: Entry, way: Way): AsyncGenerator<WalkedFile, void> {
  if (isTooDeep(above.path)) return way.onTooDeep?.(above.path);
  const folder = await way.enter(above.folder, entry);
  if (folder === null) return;
  try {
    yield* walkFiles({ ...above, folder }, way);
  } finally {
    await folder.handle.close();
  }
};
