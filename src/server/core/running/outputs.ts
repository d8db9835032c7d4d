import type { Problem, Result } from "../../../base/result.ts";
import type { FILE_TYPES } from "../../../wire/files.ts";
import type { Amount, EndedJob, Job, JobId } from "../jobs/job.ts";

/** A name or a path below a folder, a character for each byte, as names need be no UTF-8. */
export type ByteText = string;

/** What is known of a file without opening it; `other` is neither file nor link. Times in nanoseconds. */
export type FoundFile = Readonly<{
  path: ByteText;
  kind: (typeof FILE_TYPES)[number] | "other";
  inode: bigint;
  size: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}>;

export type ListedFile = Readonly<{
  path: ByteText;
  kind: (typeof FILE_TYPES)[number];
  size: number;
  mtime: number;
  target: ByteText | null;
}>;

export type FilePage = Readonly<{ files: readonly ListedFile[]; total: Amount }>;

/** `tag` differs for any two contents. `read` gives the bytes from one place to before another, and fails where they are no longer those. */
export type ReadableFile = Readonly<{
  size: number;
  tag: string;
  mtime: number;
  read: (from: number, to: number) => ReadableStream<Uint8Array>;
}>;

/** `leftOut` is what was new or changed and is not kept; `tooDeep` are the folders that are kept and not looked into; `notes` say what else there is to say. */
export type Kept = Amount & Readonly<{ leftOut: Amount; tooDeep: number; notes: readonly string[] }>;

type OutputReads = Readonly<{
  list: (job: Job, below: ByteText, page: Readonly<{ limit: number; offset: number }>) => Promise<FilePage | null>;
  open: (job: Job, path: ByteText) => Promise<ReadableFile | null>;
  pack: (job: Job, globs: readonly string[]) => ReadableStream<Uint8Array>;
}>;

/**
 * `holdsWork`: the job's command may have started, and there is something that it may have made; `isUnmoved`: not all of that is where it is kept. `isThere`: there is a folder of what is kept. `keep` moves what is new or changed out of `repo/`, from
 * where an earlier call was cut off; `finish` then removes the rest. `list` has what lies below a path, null where nothing does; of a job
 * that runs, or whose files could not be kept, also what is new or changed in `repo/`. `open` follows no link. `pack` makes a tar of what
 * matches, of everything without patterns. All three are of the newest attempt, `ofAttempt` has those of another.
 */
export type JobOutputs = OutputReads &
  Readonly<{
    holdsWork: (id: JobId) => Promise<boolean>;
    isUnmoved: (id: JobId) => Promise<boolean>;
    isThere: (id: JobId) => boolean;
    keep: (job: EndedJob, signal?: AbortSignal) => Promise<Result<Kept, Problem>>;
    finish: (id: JobId) => Promise<void>;
    ofAttempt: (attempt: number) => OutputReads;
    remove: (id: JobId) => Promise<void>;
  }>;

export type Fate = "stay" | "keep" | "leave out";

/** `listed` are the files that were unpacked, as `describeFile` says them, null where that is not known; `isAsked` is what the job's own patterns say, null where it has none. */
export type KeepRule = Readonly<{
  listed: ReadonlySet<string> | null;
  isAsked: ((path: ByteText) => boolean) | null;
}>;

const NS_PER_S = 1_000_000_000n;
const NS_DIGITS = 9;
const LIST_FIELDS = 5;
const LONGEST_NAME = 255;

const MADE_AGAIN = new Set([
  ...["__pycache__", ".git", "node_modules"],
  ...[".ruff_cache", ".mypy_cache", ".pytest_cache"],
]);
const CACHE_FILE = /\.pyc$|^\.nfs/;
const SIGNS_OF_ENVIRONMENT = ["pyvenv.cfg", "conda-meta"] as const;

/** The end of a list of what was unpacked: one without it was not written to its end. */
export const LIST_END = "end";

const trimTime = (time: string): string => {
  const [seconds = "", fraction = ""] = time.split(".");
  return `${seconds}.${fraction.slice(0, NS_DIGITS).padEnd(NS_DIGITS, "0")}`;
};

const describeTime = (ns: bigint): string => `${ns / NS_PER_S}.${String(ns % NS_PER_S).padStart(NS_DIGITS, "0")}`;

const LETTERS = { file: "f", link: "l", other: "?" } as const;

export const describeFile = ({ path, kind, inode, size, mtimeNs, ctimeNs }: FoundFile): string =>
  `${LETTERS[kind]} ${inode} ${size} ${describeTime(mtimeNs)} ${describeTime(ctimeNs)} ${path}`;

/** An entry of the list that was written when the job's code was unpacked, as `describeFile` says the same file; its paths begin with the folder's name. */
export const readListed = (entry: string): string => {
  const fields = entry.split(" ");
  const [kind = "", inode = "", size = "", mtime = "", ctime = ""] = fields;
  const path = fields.slice(LIST_FIELDS).join(" ");
  return `${kind} ${inode} ${size} ${trimTime(mtime)} ${trimTime(ctime)} ${path.slice(path.indexOf("/") + 1)}`;
};

/** Whether all in a folder below the top can be made again, by its name and those in it. */
export const canBeMadeAgain = (name: ByteText, names: ReadonlySet<ByteText>): boolean =>
  MADE_AGAIN.has(name) || SIGNS_OF_ENVIRONMENT.some((sign) => names.has(sign));

const findName = (path: ByteText): ByteText => path.slice(path.lastIndexOf("/") + 1);

const isCache = (name: ByteText): boolean => MADE_AGAIN.has(name) || CACHE_FILE.test(name);

/** `isMadeAgain`: the file is in a folder that can be made again. */
export const decideFate = (file: FoundFile, { listed, isAsked }: KeepRule, isMadeAgain: boolean): Fate => {
  if (listed?.has(describeFile(file)) === true) return "stay";
  if (file.kind === "other") return "leave out";
  const isKept = isAsked?.(file.path) ?? !(isMadeAgain || isCache(findName(file.path)));
  return isKept ? "keep" : "leave out";
};

const listWays = (path: string): readonly string[] => {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
};

const trimGlob = (glob: string): string =>
  glob
    .replace(/^!/, "")
    .replace(/^(\.?\/)+/, "")
    .replace(/\/+$/, "");

/** The last pattern that matches the path, or a folder on the way to it, counts. */
export const matchesGlobs = (
  globs: readonly string[],
  path: string,
  matches: (glob: string, path: string) => boolean,
): boolean => {
  const ways = listWays(path);
  const last = globs.findLast((glob) => ways.some((way) => matches(trimGlob(glob), way)));
  return last !== undefined && !last.startsWith("!");
};

/** The name, or the first of `name~1`, `name~2` … that is not taken. */
export const chooseName = (name: ByteText, isTaken: (name: ByteText) => boolean): ByteText => {
  let candidate = name;
  for (let number = 1; isTaken(candidate); number += 1) {
    const end = `~${number}`;
    candidate = `${name.slice(0, LONGEST_NAME - end.length)}${end}`;
  }
  return candidate;
};

export const addAmounts = (left: Amount, right: Amount): Amount => ({
  files: left.files + right.files,
  bytes: left.bytes + right.bytes,
});
