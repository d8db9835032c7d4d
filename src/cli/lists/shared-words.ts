import { measureProgram, nameProgram } from "./program-name.ts";

type Words = readonly string[];
type Node = Readonly<{ depth: number; length: number; lists: Words[]; next: Map<string, Node> }>;

/**
 * `depth`: with how many words it begins that others of the list begin with, too, 0 for none but the program; `varying`: the places
 * at which those of the same program with as many words differ.
 */
export type Shared = Readonly<{ depth: number; varying: ReadonlySet<number> }>;

export type SharedWords = Readonly<{ find: (words: Words) => Shared }>;

const MOST_WORDS = 500;
const END = "";
const NOWHERE: ReadonlySet<number> = new Set();

const createNode = (depth: number, length: number): Node => ({ depth, length, lists: [], next: new Map() });

const openNext = (node: Node, word: string): Node => {
  const next = node.next.get(word) ?? createNode(node.depth + 1, node.length + word.length);
  node.next.set(word, next);
  return next;
};

const addList = (root: Node, words: Words): void => {
  let node = root;
  for (const word of [...words.slice(0, MOST_WORDS), END]) {
    node.lists.push(words);
    node = openNext(node, word);
  }
};

const weigh = ({ lists, length }: Node): number => lists.length * length;

const findFork = (root: Node, words: Words): number => {
  let best = root;
  let node: Node | undefined = root;
  for (const word of words) {
    node = node.next.get(word);
    if (node === undefined) break;
    if (node.next.size > 1 && weigh(node) > weigh(best)) best = node;
  }
  return best.depth;
};

const nameKind = (words: Words): string => `${words.length} ${nameProgram(words)}`;

const listVarying = (alike: readonly Words[]): ReadonlySet<number> => {
  const [first = [], ...others] = alike;
  const places = first.map((_word, place) => place);
  return new Set(places.filter((place) => others.some((words) => words[place] !== first[place])));
};

/**
 * Of those of the same program with as many words the beginning counts that all have; for one that has none like it, of all
 * beginnings that it shares with others the one that leaves out most of all of them together.
 */
export const createSharedWords = (lists: readonly Words[]): SharedWords => {
  const root = createNode(0, 0);
  const distinct = [...new Map(lists.map((words) => [words.join(" "), words])).values()];
  for (const words of distinct) addList(root, words);
  const kinds = Map.groupBy(distinct, nameKind);
  const varyings = new Map([...kinds].map(([kind, alike]) => [kind, listVarying(alike)]));
  return {
    find: (words) => {
      const varying = varyings.get(nameKind(words)) ?? NOWHERE;
      const depth = varying.size > 0 ? Math.min(...varying) : findFork(root, words);
      return { depth: depth > measureProgram(words) ? depth : 0, varying };
    },
  };
};
