import { readName } from "./run-git.ts";
import { GIT_LINK, type WorkingFiles } from "./working-files.ts";

/** The files and links that travel, a character for each byte; of a submodule nothing does. */
export const listTravelling = ({ entries, gone, names }: WorkingFiles): readonly string[] => {
  const left = new Set(gone);
  const kept = entries.filter(({ name, mode }) => mode !== GIT_LINK && !left.has(name));
  return [...kept.map(({ name }) => name), ...names];
};

/** One of them that is at a path below the top, below it, or a file on the way to it; null where none is. */
export const findTravelling = (names: readonly string[], path: string): string | null => {
  const wanted = Buffer.from(path).toString("latin1");
  const found = names.find((name) => `${name}/`.startsWith(`${wanted}/`) || `${wanted}/`.startsWith(`${name}/`));
  return found === undefined ? null : readName(found);
};
