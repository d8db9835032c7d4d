import { type ByteText, chooseName } from "../../../core/running/outputs.ts";
import { type Entry, type Folder, isMissing, makeFolderIn, openFolderIn, readNames } from "./folder.ts";

/** An open folder, and the names in it that are taken. */
export type Reached = Readonly<{ folder: Folder; taken: Set<ByteText> }>;

/** Where files go: the folder is made, or entered, when the first does. */
export type Goal = Readonly<{ reach: () => Promise<Reached>; leave: () => Promise<void> }>;

export const reachFolder = async (folder: Folder): Promise<Reached> => ({
  folder,
  taken: new Set(await readNames(folder)),
});

const reachOpened = async (folder: Folder): Promise<Reached> => {
  try {
    return await reachFolder(folder);
  } catch (error) {
    await folder.handle.close();
    throw error;
  }
};

const enter = async (folder: Folder, name: ByteText): Promise<Reached | null> => {
  try {
    return await reachOpened(await openFolderIn(folder, name));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

const make = async ({ folder, taken }: Reached, name: ByteText, mode: number): Promise<Reached> => {
  taken.add(name);
  return { folder: await makeFolderIn(folder, name, mode), taken: new Set() };
};

const reachIn = async (
  parent: Reached,
  { name, mode }: Entry,
  onRenamed: (name: ByteText) => void,
): Promise<Reached> => {
  const refused = new Set<ByteText>();
  for (;;) {
    const candidate = chooseName(name, (one) => refused.has(one));
    if (candidate !== name) onRenamed(candidate);
    if (!parent.taken.has(candidate)) return make(parent, candidate, mode);
    const entered = await enter(parent.folder, candidate);
    if (entered !== null) return entered;
    refused.add(candidate);
  }
};

/** The folder of the same name in another, or of one like it where something else has that name. */
export const createGoal = (parent: Goal, entry: Entry, onRenamed: (name: ByteText) => void): Goal => {
  let reached: Promise<Reached> | null = null;
  const reach = async (): Promise<Reached> => reachIn(await parent.reach(), entry, onRenamed);
  return {
    reach: () => {
      reached ??= reach();
      return reached;
    },
    leave: async () => {
      const left = await reached?.catch(() => null);
      await left?.folder.handle.close();
    },
  };
};
