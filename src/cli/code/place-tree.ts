import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  unlinkSync,
} from "node:fs";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { hasSameContent } from "../../tools/same-content.ts";

type Move = Readonly<{ from: Buffer; to: Buffer; isReplacing: boolean }>;
type Conflict = Readonly<{ move: Move; isFolder: boolean }>;
type Plan = Readonly<{ moves: readonly Move[]; conflicts: readonly Conflict[] }>;
type Pair = Readonly<{ from: Buffer; to: Buffer }>;

const SHOWN = 3;
const EXECUTABLE = 0o100;
const USUAL_BITS = 0o777;
const SPECIAL_BITS = 0o7000;

const look = (path: Buffer): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

const nameInside = (folder: Buffer, name: Buffer): Buffer => Buffer.concat([folder, Buffer.from("/"), name]);

const cleanOne = (path: Buffer, status: Stats): void => {
  if (status.isDirectory()) cleanTree(path);
  else if (!status.isFile() && !status.isSymbolicLink()) unlinkSync(path);
  else if (status.isFile() && (status.mode & SPECIAL_BITS) !== 0) chmodSync(path, status.mode & USUAL_BITS);
};

/** Removes what is neither file, link nor folder, and bits by which a file would run as another user. */
export const cleanTree = (folder: Buffer): void => {
  for (const name of readdirSync(folder, { encoding: "buffer" })) {
    const path = nameInside(folder, name);
    cleanOne(path, lstatSync(path));
  }
};

const haveSameBytes = ({ from, to }: Pair): boolean => {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  const fds = [openSync(from, flags), openSync(to, flags)] as const;
  try {
    return hasSameContent(...fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
};

const readLink = (path: Buffer): Buffer => readlinkSync(path, { encoding: "buffer" });

const areSame = (pair: Pair, ours: Stats, theirs: Stats): boolean => {
  if (ours.isSymbolicLink() && theirs.isSymbolicLink()) return readLink(pair.from).equals(readLink(pair.to));
  const areAlike = ours.isFile() && theirs.isFile() && ours.size === theirs.size;
  return areAlike && ((ours.mode ^ theirs.mode) & EXECUTABLE) === 0 && haveSameBytes(pair);
};

const planOne = (pair: Pair): Plan => {
  const [ours, theirs] = [look(pair.from), look(pair.to)];
  if (ours === undefined) return { moves: [], conflicts: [] };
  if (theirs === undefined) return { moves: [{ ...pair, isReplacing: false }], conflicts: [] };
  if (ours.isDirectory() && theirs.isDirectory()) return planFolder(pair);
  if (areSame(pair, ours, theirs)) return { moves: [], conflicts: [] };
  const move = { ...pair, isReplacing: ours.isDirectory() };
  return { moves: [], conflicts: [{ move, isFolder: theirs.isDirectory() }] };
};

const planFolder = ({ from, to }: Pair): Plan => {
  const plans = readdirSync(from, { encoding: "buffer" }).map((name) =>
    planOne({ from: nameInside(from, name), to: nameInside(to, name) }),
  );
  return { moves: plans.flatMap(({ moves }) => moves), conflicts: plans.flatMap(({ conflicts }) => conflicts) };
};

const refuse = (conflicts: readonly Conflict[], advice: string): Result<never, Failure> => {
  const names = conflicts.slice(0, SHOWN).map(({ move }) => escapeText(move.to.toString()));
  const rest = conflicts.length - names.length;
  const all = `${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  return fail(`nothing was written: there is something else already at ${all}`, advice);
};

const move = ({ from, to, isReplacing }: Move): void => {
  if (isReplacing) unlinkSync(to);
  renameSync(from, to);
};

/**
 * Moves what lies in the folder `from` to the folder `to` on the same file system, and follows no link there. What is the same
 * already is left; other files and links are replaced only with `isForced`, folders never, and then nothing is moved.
 */
export const placeTree = (from: string, to: string, isForced: boolean): Result<void, Failure> => {
  const { moves, conflicts } = planOne({ from: Buffer.from(from), to: Buffer.from(to) });
  const folders = conflicts.filter(({ isFolder }) => isFolder);
  if (folders.length > 0) return refuse(folders, "give another folder with -o");
  if (conflicts.length > 0 && !isForced) return refuse(conflicts, "give another folder with -o, or overwrite with -f");
  for (const one of [...moves, ...conflicts.map((conflict) => conflict.move)]) move(one);
  return ok(undefined);
};
