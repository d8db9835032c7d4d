import { type BigIntStats, constants, lstatSync, renameSync } from "node:fs";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { describeError } from "../../../../base/describe-error.ts";
import { readErrorCode } from "../../../../base/error-code.ts";
import { collectInTurns } from "../../../../tools/give-way.ts";
import type { ByteText, FoundFile } from "../../../core/running/outputs.ts";
import { type Descriptor, openDescriptor } from "./descriptor.ts";

/** What a folder holds: `mode` are its permission bits, `device` the file system that it is in, `blocks` of 512 bytes what it takes there. */
export type Entry = Readonly<{
  name: ByteText;
  kind: FoundFile["kind"] | "folder";
  mode: number;
  device: bigint;
  inode: bigint;
  links: bigint;
  size: bigint;
  blocks: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}>;

export type Folder = Readonly<{ handle: Descriptor; device: bigint }>;

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const O_PATH = 0o10_000_000;
const PERMISSIONS = 0o7777n;
const OWNER_MAY_ALL = 0o700;
const OWNER_MAY_READ = 0o400;

export const encodeText = (text: ByteText): Buffer => Buffer.from(text, "latin1");

/** Where a file of an open folder is, reached by the folder itself: nobody can put a link on the way. */
export const locateIn = ({ handle }: Pick<Folder, "handle">, name: ByteText): Buffer =>
  encodeText(`/proc/self/fd/${handle.fd}/${name}`);

export const isMissing = (error: unknown): boolean => ["ENOENT", "ENOTDIR", "ELOOP"].includes(readErrorCode(error));

const openPath = async (path: string | Buffer): Promise<Folder> => {
  const handle = await openDescriptor(path, FOLDER_FLAGS);
  try {
    return { handle, device: (await handle.stat()).dev };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

export const openFolder = (path: string): Promise<Folder> => openPath(path);

export const openFolderIn = (folder: Folder, name: ByteText): Promise<Folder> => openPath(locateIn(folder, name));

/** Makes the folder if nothing is there. */
export const makeFolderIn = async (folder: Folder, name: ByteText, mode: number): Promise<Folder> => {
  await mkdir(locateIn(folder, name), { mode: mode | OWNER_MAY_ALL });
  return openFolderIn(folder, name);
};

const allow = async (folder: Folder, { name, mode }: Entry, wanted: number): Promise<void> => {
  if ((mode & wanted) === wanted) return;
  const handle = await openDescriptor(locateIn(folder, name), O_PATH | constants.O_NOFOLLOW);
  try {
    await chmod(`/proc/self/fd/${handle.fd}`, mode | wanted);
  } finally {
    await handle.close();
  }
};

/** Opens a folder that is no link, in which its owner may do all from then on. */
export const openForOwner = async (folder: Folder, entry: Entry): Promise<Folder> => {
  await allow(folder, entry, OWNER_MAY_ALL);
  return openFolderIn(folder, entry.name);
};

/** Has the owner of a file read it, but not where it is one of elsewhere, too. */
export const letOwnerRead = async (folder: Folder, entry: Entry): Promise<void> => {
  if (entry.kind === "file" && entry.links === 1n) await allow(folder, entry, OWNER_MAY_READ);
};

export const readNames = (folder: Folder): Promise<readonly ByteText[]> =>
  readdir(`/proc/self/fd/${folder.handle.fd}`, { encoding: "latin1" });

const findKind = (found: BigIntStats): Entry["kind"] => {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "folder";
  return found.isSymbolicLink() ? "link" : "other";
};

/** Null where nothing has that name. */
export const findEntry = (folder: Folder, name: ByteText): Entry | null => {
  try {
    const found = lstatSync(locateIn(folder, name), { bigint: true });
    const { dev: device, ino: inode, nlink: links, size, blocks, mtimeNs, ctimeNs } = found;
    const [kind, mode] = [findKind(found), Number(found.mode & PERMISSIONS)];
    return { name, kind, mode, device, inode, links, size, blocks, mtimeNs, ctimeNs };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

const findEntries = function* (folder: Folder, names: readonly ByteText[]): Generator<Entry | null> {
  for (const name of names) yield findEntry(folder, name);
};

/** What is removed meanwhile is not among them. */
export const readEntries = async (folder: Folder): Promise<readonly Entry[]> =>
  collectInTurns(findEntries(folder, await readNames(folder)));

export const joinPath = (path: ByteText, name: ByteText): ByteText => (path === "" ? name : `${path}/${name}`);

/** What `use` makes of the folder, which is closed then. */
export const withFolder = async <Value>(
  opened: Promise<Folder>,
  use: (folder: Folder) => Promise<Value>,
): Promise<Value> => {
  const folder = await opened;
  try {
    return await use(folder);
  } finally {
    await folder.handle.close();
  }
};

/** In a way that can be shown: what is no UTF-8 is replaced. */
export const decodeText = (text: ByteText): string => encodeText(text).toString("utf8");

const explainAt = (path: ByteText, error: unknown): Error =>
  new Error(`${decodeText(path)}: ${describeError(error).split(", ")[0]}`, { cause: error });

/** A failure then says at which path, and not by which numbers it was reached. */
export const sayWhere = async <Value>(path: ByteText, act: Promise<Value>): Promise<Value> => {
  try {
    return await act;
  } catch (error) {
    throw explainAt(path, error);
  }
};

/** Moves a file by its name alone; `path` is what a failure names. */
export const moveEntry = (path: ByteText, from: Buffer, to: Buffer): void => {
  try {
    renameSync(from, to);
  } catch (error) {
    throw explainAt(path, error);
  }
};
