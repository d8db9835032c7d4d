import { readName } from "./run-git.ts";
import { GIT_LINK, type WorkingFiles } from "./working-files.ts";

/** The files and links that travel, each by itself, and one of those in a folder by the folder; a character for each byte. */
export type Travelling = ReadonlyMap<string, string>;

/** Of a submodule nothing travels. */
export const indexTravelling = ({ entries, gone, names }: WorkingFiles): Travelling => {
  const left = new Set(gone);
  const kept = entries.filter(({ name, mode }) => mode !== GIT_LINK && !left.has(name));
  const index = new Map<string, string>();
  for (const name of [...kept.map((entry) => entry.name), ...names])
    for (let path = name; path !== "" && !index.has(path); path = path.slice(0, Math.max(path.lastIndexOf("/"), 0)))
      index.set(path, name);
  return index;
};

/** All paths on the way to one, itself included. */
export const listWays = (path: string): readonly string[] =>
  path.split("/").map((_part, index, parts) => parts.slice(0, index + 1).join("/"));

/** What travels at a path below the top, below it, or as a file on the way to it; null where nothing does. */
export const findTravelling = (index: Travelling, path: string): string | null => {
  const wanted = Buffer.from(path).toString("latin1");
  const found = index.get(wanted) ?? listWays(wanted).find((way) => index.get(way) === way);
  return found === undefined ? null : readName(found);
};
