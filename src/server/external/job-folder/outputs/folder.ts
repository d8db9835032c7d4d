import { constants } from "node:fs";
import { chmod, lstat, mkdir, readdir } from "node:fs/promises";
import { describeError } from "../../../../base/describe-error.ts";
import type { ByteText, FoundFile } from "../../../core/running/outputs.ts";
import { type Descriptor, openDescriptor } from "./descriptor.ts";

/** What a folder holds: `mode` are its permission bits, `device` the file system that it is in. */
export type Entry = Readonly<{
  name: ByteText;
  kind: FoundFile["kind"] | "folder";
  mode: number;
  device: bigint;
  inode: bigint;
  links: bigint;
  size: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}>;

export type Folder = Readonly<{ handle: Descriptor; device: bigint }>;

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const O_PATH = 0o10_000_000;
const PERMISSIONS = 0o7777n;
const OWNER_MAY_ALL = 0o700;
const OWNER_MAY_READ = 0o400;
const AT_ONCE = 64;

export const encodeText = (text: ByteText): Buffer => Buffer.from(text, "latin1");

/** Where a file of an open folder is, reached by the folder itself: nobody can put a link on the way. */
export const locateIn = ({ handle }: Pick<Folder, "handle">, name: ByteText): Buffer =>
  encodeText(`/proc/self/fd/${handle.fd}/${name}`);

const readCode = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

export const isMissing = (error: unknown): boolean => ["ENOENT", "ENOTDIR", "ELOOP"].includes(readCode(error));

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

/** Null where nothing has that name. */
export const findEntry = async (folder: Folder, name: ByteText): Promise<Entry | null> => {
  try {
    const found = await lstat(locateIn(folder, name), { bigint: true });
    const kinds = [
      found.isFile() && "file",
      found.isSymbolicLink() && "link",
      found.isDirectory() && "folder",
    ] as const;
    const { dev: device, ino: inode, nlink: links, size, mtimeNs, ctimeNs } = found;
    const kind = kinds.find((one) => one !== false) ?? "other";
    return { name, kind, mode: Number(found.mode & PERMISSIONS), device, inode, links, size, mtimeNs, ctimeNs };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** What `act` makes of each, a few at once. Throws only when none is under way any more: they may use what is closed then. */
export const mapInChunks = async <Value, Made>(
  values: readonly Value[],
  act: (value: Value) => Promise<Made>,
): Promise<readonly Made[]> => {
  const made: Made[] = [];
  for (let from = 0; from < values.length; from += AT_ONCE) {
    const settled = await Promise.allSettled(values.slice(from, from + AT_ONCE).map(act));
    for (const one of settled) {
      if (one.status === "rejected") throw one.reason;
      made.push(one.value);
    }
  }
  return made;
};

const sortKey = ({ name, kind }: Entry): string => (kind === "folder" ? `${name}/` : name);

/** In the order in which the paths of all that is below come. What is removed meanwhile is not among them. */
export const readEntries = async (folder: Folder): Promise<readonly Entry[]> => {
  const found = await mapInChunks(await readNames(folder), (name) => findEntry(folder, name));
  const entries = found.filter((entry) => entry !== null);
  return entries.toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
};

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

/** A failure then says at which path, and not by which numbers it was reached. */
export const sayWhere = async <Value>(path: ByteText, act: Promise<Value>): Promise<Value> => {
  try {
    return await act;
  } catch (error) {
    throw new Error(`${decodeText(path)}: ${describeError(error).split(", ")[0]}`, { cause: error });
  }
};
