import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { hasSameContent } from "../../tools/same-content.ts";
import type { WireFile } from "../../wire/files.ts";
import { type BytePath, encodeBytes, readBytePath } from "./byte-path.ts";
import { type HeldFolder, locateIn } from "./held-folder.ts";
import type { Sink } from "./read-file.ts";

/**
 * What has been fetched of a file so far, beside the files: its name says of which file, and of which content of it. `locate` says where it
 * lies, null where something else has its name by now; `isLike` whether an open file has the same content.
 */
export type PartFile = Sink &
  Readonly<{
    locate: () => Buffer | null;
    isLike: (fd: number) => boolean;
    seal: (mtime: number) => void;
    close: () => void;
    remove: () => void;
  }>;

/** `known` by what `hashPath` says; a name is `prefix`, that and the content's tag. */
export type Parts = Readonly<{ prefix: string; known: ReadonlyMap<string, string> }>;

type Opened = Readonly<{ fd: number; name: string; tag: string | null }>;
type Writing = { readonly top: HeldFolder; readonly begin: string; opened: Opened | null; size: number };

const PART = /^([0-9a-f]{16})-([A-Za-z0-9_-]*)$/;
const HASH_LENGTH = 16;
const LONGEST_TAG = 100;
const FRESH = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const AGAIN = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const USUAL_MODE = 0o666;

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
  if (fd !== null && isOwnFile(fd)) return { fd, name, tag };
  if (fd !== null) closeSync(fd);
  removeIn(top, name);
  return null;
};

const writeAll = (fd: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
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
  part.opened = { fd: openSync(locateIn(part.top, name), FRESH, USUAL_MODE), name, tag };
};

const writePart = (part: Writing, bytes: Uint8Array, at: number): boolean => {
  if (part.opened !== null) writeAll(part.opened.fd, bytes, at);
  part.size = at + bytes.length;
  return true;
};

const sealPart = ({ opened, size }: Writing, mtime: number): void => {
  if (opened === null) return;
  ftruncateSync(opened.fd, size);
  futimesSync(opened.fd, mtime, mtime);
};

const locatePart = ({ top, opened }: Writing): Buffer | null => {
  if (opened === null) return null;
  const path = locateIn(top, opened.name);
  const [own, found] = [fstatSync(opened.fd), lstatSync(path, { throwIfNoEntry: false })];
  return found?.ino === own.ino && found.dev === own.dev ? path : null;
};

/** Goes on with the part that an earlier call left, if there is one. Throws what the system says. */
export const openPart = (top: HeldFolder, path: BytePath, { prefix, known }: Parts): PartFile => {
  const hash = hashPath(path);
  const begin = `${prefix}${hash}-`;
  const opened = openEarlier(top, known.get(hash), begin);
  const part: Writing = { top, begin, opened, size: opened === null ? 0 : fstatSync(opened.fd).size };
  return {
    locate: () => locatePart(part),
    isLike: (fd) => part.opened !== null && hasSameContent(part.opened.fd, fd),
    size: () => part.size,
    tag: () => part.opened?.tag ?? null,
    begin: (tag) => beginPart(part, tag),
    write: (bytes, at) => writePart(part, bytes, at),
    seal: (mtime) => sealPart(part, mtime),
    close: () => (part.opened === null ? undefined : closeSync(part.opened.fd)),
    remove: () => removePart(part),
  };
};
