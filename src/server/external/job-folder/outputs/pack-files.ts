import { type ByteText, matchesGlobs } from "../../../core/running/outputs.ts";
import { decodeText } from "./folder.ts";
import { openFileIn, readPart } from "./open-file.ts";
import { padBlocks, TAR_END, type TarEntry, writeTarHead } from "./tar.ts";
import { readTarget, type View, walkView } from "./view-files.ts";
import type { WalkedFile } from "./walk.ts";

const NS_PER_S = 1e9;

/** Whether the job's patterns, in UTF-8, match a path of bytes. */
export const createMatcher = (globs: readonly string[]): ((path: ByteText) => boolean) => {
  const made = new Map<string, Bun.Glob>();
  const compile = (text: string): Bun.Glob => {
    const glob = made.get(text) ?? new Bun.Glob(text);
    made.set(text, glob);
    return glob;
  };
  return (path) => matchesGlobs(globs, decodeText(path), (glob, way) => compile(glob).match(way));
};

const describeEntry = ({ file, entry }: WalkedFile): Omit<TarEntry, "size" | "target"> => ({
  path: file.path,
  kind: file.kind,
  mode: entry.mode & 0o777,
  mtime: Number(file.mtimeNs) / NS_PER_S,
});

const packFile = async function* (found: WalkedFile): AsyncGenerator<Uint8Array, void> {
  const { folder, entry, file } = found;
  if (file.kind === "link")
    return yield writeTarHead({ ...describeEntry(found), size: 0, target: await readTarget(folder, entry.name) });
  const opened = await openFileIn(folder, entry.name);
  if (opened === null) throw new Error(`${decodeText(file.path)} can't be read`);
  const size = Number(opened.found.size);
  try {
    yield writeTarHead({ ...describeEntry(found), size, target: "" });
    yield* readPart(opened.handle, 0, size);
    yield padBlocks(size);
  } finally {
    await opened.handle.close();
  }
};

/** A tar of all that matches, made as it is read. */
export const packFiles = async function* (view: View, globs: readonly string[]): AsyncGenerator<Uint8Array, void> {
  const isWanted = globs.length === 0 ? () => true : createMatcher(globs);
  for await (const found of walkView(view)) if (isWanted(found.file.path)) yield* packFile(found);
  yield TAR_END;
};
