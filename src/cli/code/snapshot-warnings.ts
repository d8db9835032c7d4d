import { runGit } from "./run-git.ts";
import type { Workshop } from "./snapshot-folder.ts";

const SHOWN = 3;
const GIT_LINK = "160000 ";
const LFS = "lfs";

const split = (text: string): readonly string[] => text.split("\0").filter((part) => part !== "");

const listSome = (names: readonly string[]): string => {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
};

const listSubmodules = ({ repository, env }: Workshop): readonly string[] =>
  split(runGit(repository.top, ["ls-files", "--stage", "-z"], { env }).text)
    .filter((line) => line.startsWith(GIT_LINK))
    .map((line) => line.slice(line.indexOf("\t") + 1));

const FILTERED = [":(top)", ":(exclude,top,attr:!filter)", ":(exclude,top,attr:-filter)"];

type Filtered = Readonly<{ name: string; filter: string }>;

const parseAttributes = (text: string): readonly Filtered[] => {
  const fields = text.split("\0");
  return fields.flatMap((name, index) =>
    index % 3 === 0 && fields[index + 2] !== undefined ? [{ name, filter: fields[index + 2] ?? "" }] : [],
  );
};

const groupByFilter = ({ repository, env }: Workshop): ReadonlyMap<string, readonly Filtered[]> => {
  const input = runGit(repository.top, ["ls-files", "-z", "--", ...FILTERED], { env }).text;
  if (input === "") return new Map();
  const asked = runGit(repository.top, ["check-attr", "-z", "--stdin", "filter"], { env, input });
  return Map.groupBy(parseAttributes(asked.text), ({ filter }) => filter);
};

const isAtWork = ({ repository }: Workshop, filter: string): boolean =>
  ["clean", "process"].some((part) => runGit(repository.top, ["config", "--get", `filter.${filter}.${part}`]).ok);

const describeFilter = (workshop: Workshop, filter: string, files: readonly Filtered[]): readonly string[] => {
  const names = files.map(({ name }) => name);
  if (filter === LFS) return [`Files in Git LFS travel as pointers, not as what they point to: ${listSome(names)}`];
  if (!isAtWork(workshop, filter)) return [];
  return [`Files travel as git keeps them, after the filter "${filter}", not as you see them: ${listSome(names)}`];
};

/** What of the user's files does not travel as the user sees it. */
export const findWarnings = (workshop: Workshop): readonly string[] => {
  const submodules = listSubmodules(workshop);
  return [
    ...(submodules.length > 0 ? [`Submodules do not travel with the job: ${listSome(submodules)}`] : []),
    ...[...groupByFilter(workshop)].flatMap(([filter, files]) => describeFilter(workshop, filter, files)),
  ];
};
