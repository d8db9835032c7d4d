import { constants, linkSync, openSync, readlinkSync, renameSync, rmSync, type Stats, symlinkSync } from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";
import type { WireFile } from "../../wire/files.ts";
import { type BytePath, encodeBytes, readByteTarget } from "./byte-path.ts";
import { findIn, type HeldFolder, locateIn } from "./held-folder.ts";

/** What is in a file's place: `doubtful` has its size, so that its content must be looked at. */
export type Standing = "free" | "same" | "doubtful" | "other" | "folder" | "link";

type Place = Readonly<{ folder: HeldFolder; name: BytePath }>;

const CLOSE_ENOUGH_MS = 1;
const MS_PER_S = 1000;
const WITHOUT_HARD_LINKS = ["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK"];

const judgeFile = ({ size, mtimeMs }: Stats, file: WireFile): Standing => {
  if (size !== file.size) return "other";
  return Math.abs(mtimeMs - file.mtime * MS_PER_S) <= CLOSE_ENOUGH_MS ? "same" : "doubtful";
};

const readTarget = ({ folder, name }: Place): string => readlinkSync(locateIn(folder, name), { encoding: "latin1" });

export const judgePlace = (place: Place, file: WireFile): Standing => {
  const found = findIn(place.folder, place.name);
  if (found === null) return "free";
  if (found.isDirectory()) return "folder";
  if (file.type === "link") {
    const isSame = found.isSymbolicLink() && readTarget(place) === readByteTarget(file);
    return isSame ? "same" : "other";
  }
  if (found.isSymbolicLink()) return "link";
  return found.isFile() ? judgeFile(found, file) : "other";
};

export const openPlace = ({ folder, name }: Place): number =>
  openSync(locateIn(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);

const moveIfFree = (draft: Buffer, { folder, name }: Place): boolean => {
  if (findIn(folder, name) !== null) return false;
  renameSync(draft, locateIn(folder, name));
  return true;
};

/** False when something has come to be there meanwhile. Throws what the system says. */
export const putFile = (draft: Buffer, place: Place, isForced: boolean): boolean => {
  const path = locateIn(place.folder, place.name);
  if (isForced) {
    renameSync(draft, path);
    return true;
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if (readErrorCode(error) === "EEXIST") return false;
    if (WITHOUT_HARD_LINKS.includes(readErrorCode(error))) return moveIfFree(draft, place);
    throw error;
  }
  rmSync(draft);
  return true;
};

/** The same for a link. */
export const putLink = (target: BytePath, { folder, name }: Place, isForced: boolean): boolean => {
  const path = locateIn(folder, name);
  if (isForced) rmSync(path, { force: true });
  try {
    symlinkSync(encodeBytes(target), path);
    return true;
  } catch (error) {
    if (readErrorCode(error) === "EEXIST") return false;
    throw error;
  }
};
