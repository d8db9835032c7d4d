import { escapeText } from "../base/escape-text.ts";
import type { Flag, Verb } from "../command-line/command.ts";
import { loadVerbs } from "../command-line/help.ts";
import { findFirstWord, takesNextWord } from "../command-line/parse-words.ts";
import { type Candidate, listCandidates, type Source } from "./completion/complete-values.ts";
import { NX } from "./program.ts";
import { print } from "./terminal/output.ts";

type Place = Readonly<{ before: readonly string[]; current: string; prefix: string }>;

const JOBS: readonly Source[] = ["running", "queued", "ended"];
const ACTION_WORDS: Readonly<Record<string, readonly Source[]>> = {
  add: ["gpus"],
  remove: ["gpus"],
  clear: ["gpus"],
};

const WORDS: Readonly<Record<string, (before: readonly string[]) => readonly Source[]>> = {
  get: () => JOBS,
  redo: () => JOBS,
  code: () => JOBS,
  diff: () => JOBS,
  logs: () => [...JOBS, "gpus"],
  files: ([id]) => (id === undefined ? ["ended", "running"] : []),
  pull: ([id]) => (id === undefined ? ["ended", "running"] : []),
  attach: () => ["running", "gpus"],
  kill: () => ["running", "gpus"],
  why: () => ["queued"],
  queue: () => ["queued"],
  remove: () => ["queued"],
  cancel: () => ["running", "queued", "gpus"],
  hold: () => ["queued"],
  release: () => ["queued"],
  edit: ([id]) => (id === undefined ? ["queued"] : []),
  note: ([id]) => (id === undefined ? JOBS : []),
  wait: () => ["running", "queued"],
  blacklist: ([action]) => (action === undefined ? [["add", "remove", "clear", "list"]] : (ACTION_WORDS[action] ?? [])),
  reserve: () => ["gpus"],
  unreserve: () => ["reservations"],
  target: ([action]) => {
    if (action === undefined) return ["targets", ["add", "list", "remove"]];
    return action === "remove" ? ["targets"] : [];
  },
  config: ([action]) => (action === undefined ? [["show", "edit"]] : []),
  jobrc: ([action]) => (action === undefined ? [["show", "edit"]] : []),
  env: ([action]) => (action === undefined ? [["show", "edit", "set", "unset"]] : []),
  completion: ([shell]) => {
    if (shell === undefined) return [["bash", "zsh", "fish", "install"]];
    return shell === "install" ? [["bash", "zsh", "fish"]] : [];
  },
};

const FLAG_VALUES: Readonly<Record<string, Source>> = {
  after: "queued",
  "after-any": "queued",
  target: "targets",
  "gpu-idxs": "gpus",
};

const joinWhatBashSplits = (words: readonly string[]): readonly string[] => {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const isAfterEquals = words[index - 1] === "=" && words[index - 2]?.startsWith("--") === true;
    if ((word === "=" && words[index - 1]?.startsWith("--")) || isAfterEquals) joined.push(`${joined.pop()}${word}`);
    else joined.push(word);
  }
  return joined;
};

const findPlace = (words: readonly string[]): Place => {
  const joined = joinWhatBashSplits(words);
  const last = joined.at(-1) ?? "";
  const before = joined.slice(0, -1);
  const split = last.startsWith("--") ? last.indexOf("=") : -1;
  if (split === -1) return { before, current: last, prefix: "" };
  const isSplitByBash = joined.length < words.length;
  const flag = last.slice(0, split);
  return { before: [...before, flag], current: last.slice(split + 1), prefix: isSplitByBash ? "" : `${flag}=` };
};

const listVerbs = async (): Promise<readonly Candidate[]> => {
  const verbs = (await loadVerbs(NX)).map(({ name, summary }) => ({ value: name, about: summary }));
  return [...verbs, { value: "help", about: "all about a verb" }];
};

const listFlags = (flags: readonly Flag[]): readonly Candidate[] =>
  flags.map(({ long, help }) => ({ value: `--${long}`, about: help }));

const findFlag = (word: string, flags: readonly Flag[]): Flag | undefined =>
  word.startsWith("-") && takesNextWord(word, flags)
    ? flags.find(({ long, short }) => word === `--${long}` || (!word.startsWith("--") && word.at(-1) === short))
    : undefined;

const findTarget = (before: readonly string[]): string | null => {
  const index = before.findLastIndex((word) => word === "-t" || word === "--target");
  const written = before.findLast((word) => word.startsWith("--target="))?.slice("--target=".length);
  return (index === -1 ? written : before[index + 1]) ?? null;
};

const listWords = (words: readonly string[], flags: readonly Flag[]): readonly string[] => {
  const first = findFirstWord(words, flags);
  return first >= words.length ? [] : [words[first] ?? "", ...listWords(words.slice(first + 1), flags)];
};

const listValues = async ({ before, current }: Place, flag: Flag): Promise<readonly Candidate[]> => {
  const source = flag.choices ?? FLAG_VALUES[flag.long];
  const found = source === undefined ? [] : await listCandidates(source, findTarget(before));
  const start = flag.long === "gpu-idxs" ? current.slice(0, current.lastIndexOf(",") + 1) : "";
  const taken = start.split(",");
  return found.filter(({ value }) => !taken.includes(value)).map((one) => ({ ...one, value: `${start}${one.value}` }));
};

const listSources = async (sources: readonly Source[], target: string | null): Promise<readonly Candidate[]> =>
  (await Promise.all(sources.map((source) => listCandidates(source, target)))).flat();

const completeVerb = async (place: Place, verb: Verb): Promise<readonly Candidate[]> => {
  const flags = [...verb.flags, ...NX.flags];
  const typed = place.before.toSpliced(place.before.indexOf(verb.name), 1);
  const flag = findFlag(place.before.at(-1) ?? "", flags);
  if (flag !== undefined) return listValues(place, flag);
  const words = listWords(typed, flags);
  if (verb.isCommand === true && words.length > 0) return [];
  if (place.current.startsWith("-")) return listFlags(flags);
  const sources = WORDS[verb.name]?.(words) ?? [];
  const found = await listSources(sources, findTarget(place.before));
  return found.filter(({ value }) => !words.includes(value));
};

const listPlace = async (place: Place): Promise<readonly Candidate[]> => {
  const name = place.before[findFirstWord(place.before, NX.flags)];
  if (name === "help") return listVerbs();
  const load = Object.hasOwn(NX.verbs, name ?? "status") ? NX.verbs[name ?? "status"] : undefined;
  if (load === undefined) return [];
  const { verb } = await load();
  if (name !== undefined) return completeVerb(place, verb);
  const flag = findFlag(place.before.at(-1) ?? "", NX.flags);
  if (flag !== undefined) return listValues(place, flag);
  return place.current.startsWith("-") ? listFlags([...verb.flags, ...NX.flags]) : listVerbs();
};

/** One candidate a line, with what it is after a tab. The last word is the one that is being typed. */
export const completeWords = async (words: readonly string[]): Promise<void> => {
  const place = findPlace(words);
  const found = await listPlace(place);
  for (const { value, about } of found.filter((candidate) => candidate.value.startsWith(place.current)))
    print(`${place.prefix}${value}\t${escapeText(about)}`);
};
