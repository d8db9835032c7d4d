import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";
import { hasSameContent } from "../../tools/same-content.ts";
import type { WireFile } from "../../wire/files.ts";
import { type BytePath, encodeBytes, readBytePath } from "./byte-path.ts";
import { createFlush, type Flush } from "./flush-file.ts";
import { type HeldFolder, locateIn } from "./held-folder.ts";
import type { Sink } from "./read-file.ts";
import { writeAll, writeAround } from "./write-around.ts";

/**
 * What has been fetched of a file so far, beside the files: its name says of which file, and of which content of it. `locate` says where it
 * lies, null where something else has its name by now; `isLike` whether an open file has the same content. `seal` makes of it what the file is, on
 * the disk; where that fails, nothing of it is left.
 */
export type PartFile = Sink &
  Readonly<{
    locate: () => Buffer | null;
    isLike: (fd: number) => boolean;
    seal: () => Promise<void>;
    close: () => void;
    remove: () => void;
  }>;

/** `known` by what `hashPath` says; a name is `prefix`, that and the content's tag. */
export type Parts = Readonly<{ prefix: string; known: ReadonlyMap<string, string> }>;

type Opened = Readonly<{ fd: number; name: string; tag: string | null; flush: Flush }>;
type Writing = {
  readonly top: HeldFolder;
  readonly file: WireFile;
  readonly begin: string;
  opened: Opened | null;
  size: number;
};

const PART = /^([0-9a-f]{16})-([A-Za-z0-9_-]*)$/;
const HASH_LENGTH = 16;
const LONGEST_TAG = 100;
const FRESH = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const AGAIN = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const USUAL_MODE = 0o666;
const PERMISSIONS = 0o777;
const OWNER_MAY_READ = 0o400;
const WITHOUT_MODES = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];
const ZERO = new Uint8Array(1);

const hashPath = (path: BytePath): string =>
  createHash("sha256").update(encodeBytes(path)).digest("hex").slice(0, HASH_LENGTH);

const encodeTag = (tag: string | null): string =>
  tag === null || tag.length > LONGEST_TAG ? "" : Buffer.from(tag).toString("base64url");

const decodeTag = (text: string): string | null => (text === "" ? null : Buffer.from(text, "base64url").toString());

const choosePrefix = (taken: readonly BytePath[]): string => {
  let prefix = ".nexus-part-";
  for (let number = 1; taken.some((path) => path.startsWith(prefix)); number += 1) prefix = `.nexus-part~${number}-`;
  return prefix;
};

/** What earlier calls left. No file of the job, `files` being all of them, has such a name. */
export const listParts = (top: HeldFolder, files: readonly WireFile[]): Parts => {
  const prefix = choosePrefix(files.map(readBytePath));
  const names = readdirSync(locateIn(top, "."), { encoding: "latin1" }).filter((name) => name.startsWith(prefix));
  const known = names.flatMap((name) => {
    const hash = PART.exec(name.slice(prefix.length))?.[1];
    return hash === undefined ? [] : [[hash, name] as const];
  });
  return { prefix, known: new Map(known) };
};

const removeIn = (top: HeldFolder, name: string): void => rmSync(locateIn(top, name), { force: true });

const isOwnFile = (fd: number): boolean => {
  const found = fstatSync(fd);
  return found.isFile() && found.nlink === 1 && found.uid === process.getuid?.();
};

const tryOpen = (top: HeldFolder, name: string): number | null => {
  try {
    return openSync(locateIn(top, name), AGAIN);
  } catch {
    return null;
  }
};

const openEarlier = (top: HeldFolder, name: string | undefined, begin: string): Opened | null => {
  if (name === undefined) return null;
  const tag = decodeTag(name.slice(begin.length));
  const fd = tag === null ? null : tryOpen(top, name);
  if (fd !== null && isOwnFile(fd)) return { fd, name, tag, flush: createFlush(fd) };
  if (fd !== null) closeSync(fd);
  removeIn(top, name);
  return null;
};

const removePart = (part: Writing): void => {
  if (part.opened !== null) closeSync(part.opened.fd);
  if (part.opened !== null) removeIn(part.top, part.opened.name);
  part.opened = null;
  part.size = 0;
};

const beginPart = (part: Writing, tag: string | null): void => {
  removePart(part);
  const name = part.begin + encodeTag(tag);
  removeIn(part.top, name);
  const fd = openSync(locateIn(part.top, name), FRESH, USUAL_MODE);
  part.opened = { fd, name, tag, flush: createFlush(fd) };
};

const hasHoles = ({ size, stored }: WireFile): boolean => stored !== undefined && stored < size;

const writePart = (part: Writing, bytes: Uint8Array, at: number): boolean => {
  const write = hasHoles(part.file) ? writeAround : writeAll;
  if (part.opened !== null) write(part.opened.fd, bytes, at);
  part.size = at + bytes.length;
  part.opened?.flush.begin(part.size);
  return true;
};

const giveMode = (fd: number, mode: number): void => {
  try {
    fchmodSync(fd, (mode & PERMISSIONS) | OWNER_MAY_READ);
  } catch (error) {
    if (!WITHOUT_MODES.includes(readErrorCode(error))) throw error;
  }
};

const giveSize = (fd: number, size: number): void => {
  if (fstatSync(fd).size < size) writeAll(fd, ZERO, size - 1);
  else ftruncateSync(fd, size);
};

const sealPart = async (part: Writing): Promise<void> => {
  const { opened, size, file } = part;
  if (opened === null) return;
  giveSize(opened.fd, size);
  if (file.mode !== undefined) giveMode(opened.fd, file.mode);
  futimesSync(opened.fd, file.mtime, file.mtime);
  try {
    await opened.flush.finish();
  } catch (error) {
    removePart(part);
    throw error;
  }
};

const locatePart = ({ top, opened }: Writing): Buffer | null => {
  if (opened === null) return null;
  const path = locateIn(top, opened.name);
  const [own, found] = [fstatSync(opened.fd), lstatSync(path, { throwIfNoEntry: false })];
  return found?.ino === own.ino && found.dev === own.dev ? path : null;
};

/** Goes on with the part that an earlier call left, if there is one. Throws what the system says. */
export const openPart = (top: HeldFolder, file: WireFile, { prefix, known }: Parts): PartFile => {
  const hash = hashPath(readBytePath(file));
  const begin = `${prefix}${hash}-`;
  const opened = openEarlier(top, known.get(hash), begin);
  const part: Writing = { top, file, begin, opened, size: opened === null ? 0 : fstatSync(opened.fd).size };
  return {
    takesHoles: hasHoles(file),
    locate: () => locatePart(part),
    isLike: (fd) => part.opened !== null && hasSameContent(part.opened.fd, fd),
    size: () => part.size,
    tag: () => part.opened?.tag ?? null,
    begin: (tag) => beginPart(part, tag),
    write: (bytes, at) => writePart(part, bytes, at),
    seal: () => sealPart(part),
    close: () => (part.opened === null ? undefined : closeSync(part.opened.fd)),
    remove: () => removePart(part),
  };
};
