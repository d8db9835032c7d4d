import { closeSync, constants, lstatSync, mkdirSync, openSync, type Stats } from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";
import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { type BytePath, encodeBytes, showPath } from "./byte-path.ts";

/** An open folder. What is in it is reached by the folder itself, so that nobody can put a link on the way. */
export type HeldFolder = Readonly<{ fd: number; path: BytePath }>;

const FOLLOWING = constants.O_RDONLY | constants.O_DIRECTORY;
const CAN_BE_HELD = process.platform === "linux";

export const describeSystemError = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split(", ")[0] ?? "";

const locateFolder = ({ fd, path }: HeldFolder): BytePath => (CAN_BE_HELD ? `/proc/self/fd/${fd}` : path);

export const locateIn = (folder: HeldFolder, name: BytePath): Buffer => encodeBytes(`${locateFolder(folder)}/${name}`);

/** Null where nothing has that name. A link is not followed. */
export const findIn = (folder: HeldFolder, name: BytePath): Stats | null =>
  lstatSync(locateIn(folder, name), { throwIfNoEntry: false }) ?? null;

/** As the user named it: links on the way are the user's own. It is made if nothing is there. Throws what the system says. */
export const openTop = (path: string): HeldFolder => {
  mkdirSync(path, { recursive: true });
  return { fd: openSync(path, FOLLOWING), path: Buffer.from(path, "utf8").toString("latin1") };
};

export const closeFolder = ({ fd }: HeldFolder): void => closeSync(fd);

const makeIn = (folder: HeldFolder, name: BytePath): void => {
  try {
    mkdirSync(locateIn(folder, name));
  } catch (error) {
    if (readErrorCode(error) !== "EEXIST") throw error;
  }
};

const describeObstacle = (folder: HeldFolder, name: BytePath, shown: BytePath): Problem | null => {
  const found = findIn(folder, name);
  if (found?.isSymbolicLink() === true)
    return { message: `${showPath(shown)} is a link here, and nothing is written through it` };
  return found?.isDirectory() === false ? { message: `${showPath(shown)} is no folder here` } : null;
};

/** The folder of that name, which is made if nothing has it; `shown` is how to call it. A link is refused. Throws what else the system says. */
export const enterFolder = (folder: HeldFolder, name: BytePath, shown: BytePath): Result<HeldFolder, Problem> => {
  makeIn(folder, name);
  try {
    const fd = openSync(locateIn(folder, name), FOLLOWING | constants.O_NOFOLLOW);
    return ok({ fd, path: `${folder.path}/${name}` });
  } catch (error) {
    const obstacle = describeObstacle(folder, name, shown);
    if (obstacle !== null) return err(obstacle);
    throw error;
  }
};

/** What `act` makes of the folder at the end of the way; nothing stays open. */
export const withFolderAt = <Value>(
  top: HeldFolder,
  names: readonly BytePath[],
  act: (folder: HeldFolder) => Value,
): Result<Value, Problem> => {
  let folder = top;
  try {
    for (const [index, name] of names.entries()) {
      const entered = enterFolder(folder, name, names.slice(0, index + 1).join("/"));
      if (!entered.ok) return entered;
      if (folder !== top) closeFolder(folder);
      folder = entered.value;
    }
    return ok(act(folder));
  } finally {
    if (folder !== top) closeFolder(folder);
  }
};
