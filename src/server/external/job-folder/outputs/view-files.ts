import { readlink } from "node:fs/promises";
import { type Amount, isActive, isEnded, type Job, NO_FILES } from "../../../core/jobs/job.ts";
import {
  addAmounts,
  type ByteText,
  decideFate,
  type FilePage,
  type KeepRule,
  type ListedFile,
} from "../../../core/running/outputs.ts";
import { JOB_FILES } from "../job-paths.ts";
import { type Folder, locateIn, openFolderIn } from "./folder.ts";
import { openFolderAt } from "./open-file.ts";
import { type Enter, type WalkedFile, walkFiles } from "./walk.ts";

/** What is seen of a job's files: its folder, and what `repo/` has to be judged by, where what lies there counts too. */
export type View = Readonly<{ dir: string; repoRule: KeepRule | null }>;

type Walked = AsyncGenerator<WalkedFile, void>;
type Peeked = Readonly<Record<"peek" | "skip", () => Promise<WalkedFile | undefined>>>;

const NS_PER_S = 1e9;
const BLOCK_BYTES = 512;
const PERMISSIONS = 0o777;

/** Whether files that are not moved yet count: the job runs, or they could not be moved. */
export const hasUnmoved = (job: Job): boolean => isActive(job) || (isEnded(job) && job.outputs.state === "failed");

const passOver: Enter = (folder, { name }) => openFolderIn(folder, name).catch(() => null);

const walkPart = async function* (dir: string, name: string, isSeen: (found: WalkedFile) => boolean): Walked {
  const folder = await openFolderAt(dir, [name]);
  if (folder === null) return;
  try {
    for await (const found of walkFiles({ folder, path: "", isMadeAgain: false }, { enter: passOver })) {
      if (isSeen(found)) yield found;
    }
  } finally {
    await folder.handle.close();
  }
};

const takeBefore = async function* (others: Peeked, path: ByteText | null): Walked {
  for (let next = await others.peek(); next !== undefined && (path === null || next.file.path < path); ) {
    yield next;
    next = await others.skip();
  }
};

const peekInto = (files: Walked): Peeked => {
  let first: Promise<WalkedFile | undefined> | null = null;
  const skip = (): Promise<WalkedFile | undefined> => {
    first = files.next().then(({ value }) => value ?? undefined);
    return first;
  };
  return { peek: () => first ?? skip(), skip };
};

const merge = async function* (first: Walked, second: Walked): Walked {
  const others = peekInto(second);
  try {
    for await (const found of first) {
      yield* takeBefore(others, found.file.path);
      if ((await others.peek())?.file.path === found.file.path) await others.skip();
      yield found;
    }
    yield* takeBefore(others, null);
  } finally {
    await second.return();
  }
};

/** All that a job has made, by path; a file of the folder that its command was given for that hides one of the same name elsewhere. */
export const walkView = ({ dir, repoRule }: View): Walked => {
  const kept = walkPart(dir, JOB_FILES.outputs, () => true);
  if (repoRule === null) return kept;
  const isNew = ({ file, isMadeAgain }: WalkedFile): boolean => decideFate(file, repoRule, isMadeAgain) === "keep";
  return merge(kept, walkPart(dir, JOB_FILES.repo, isNew));
};

export const readTarget = (folder: Folder, name: ByteText): Promise<ByteText> =>
  readlink(locateIn(folder, name), { encoding: "latin1" });

const measureFile = ({ file }: WalkedFile): Amount => ({
  files: 1,
  bytes: file.kind === "file" ? Number(file.size) : 0,
});

const describe = async (found: WalkedFile): Promise<ListedFile> => {
  const { folder, entry, file } = found;
  const { path, kind, mtimeNs } = file;
  const target = kind === "link" ? await readTarget(folder, entry.name).catch(() => "") : null;
  const stored = Number(entry.blocks) * BLOCK_BYTES;
  const size = measureFile(found).bytes;
  return { path, kind, size, stored, mode: entry.mode & PERMISSIONS, mtime: Number(mtimeNs) / NS_PER_S, target };
};

type Page = Readonly<{ below: ByteText; limit: number; offset: number }>;

/** Null where nothing lies below the path. */
export const listFiles = async (view: View, { below, limit, offset }: Page): Promise<FilePage | null> => {
  const files: ListedFile[] = [];
  let total = NO_FILES;
  for await (const found of walkView(view)) {
    const { path } = found.file;
    if (below !== "" && path !== below && !path.startsWith(`${below}/`)) continue;
    if (total.files >= offset && files.length < limit) files.push(await describe(found));
    total = addAmounts(total, measureFile(found));
  }
  return total.files === 0 && below !== "" ? null : { files, total };
};
