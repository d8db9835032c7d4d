import { readName } from "./run-git.ts";
import { GIT_LINK, type WorkingFiles } from "./working-files.ts";

/** The files and links that travel: lists in the order of their bytes, a character for each byte. */
export type Travelling = readonly (readonly string[])[];

/** Of a submodule nothing travels. */
export const listTravelling = ({ entries, gone, names }: WorkingFiles): Travelling => {
  const left = new Set(gone);
  const kept = entries.filter(({ name, mode }) => mode !== GIT_LINK && !left.has(name));
  return [kept.map(({ name }) => name), names.toSorted()];
};

const findFrom = (names: readonly string[], wanted: string): string | undefined => {
  let [from, to] = [0, names.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((names[middle] ?? "") < wanted) from = middle + 1;
    else to = middle;
  }
  return names[from];
};

const findIn = (travelling: Travelling, path: string): string | undefined =>
  travelling.map((names) => findFrom(names, path)).find((name) => name === path);

const findBelow = (travelling: Travelling, path: string): string | undefined =>
  travelling.map((names) => findFrom(names, `${path}/`)).find((name) => name?.startsWith(`${path}/`));

/** All paths on the way to one, itself included. */
export const listWays = (path: string): readonly string[] =>
  path.split("/").map((_part, index, parts) => parts.slice(0, index + 1).join("/"));

/** What travels at a path below the top, below it, or as a file on the way to it; null where nothing does. */
export const findTravelling = (travelling: Travelling, path: string): string | null => {
  const wanted = Buffer.from(path).toString("latin1");
  const found =
    findIn(travelling, wanted) ??
    findBelow(travelling, wanted) ??
    listWays(wanted).find((way) => findIn(travelling, way) !== undefined);
  return found === undefined ? null : readName(found);
};
