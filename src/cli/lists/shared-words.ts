import { measureProgram, nameProgram } from "./program-name.ts";

type Words = readonly string[];
type Node = Readonly<{ depth: number; length: number; lists: Words[]; next: Map<string, Node> }>;

/** How many characters the words of one place have in common at their beginning and at their end. */
export type CommonEnds = Readonly<{ before: number; after: number }>;

/**
 * `depth`: with how many words it begins that others of the list begin with, too, 0 for none but the program; `varying`: the places
 * at which those of the same program with as many words differ.
 */
export type Shared = Readonly<{ depth: number; varying: ReadonlyMap<number, CommonEnds> }>;

export type SharedWords = Readonly<{ find: (words: Words) => Shared }>;

const MOST_WORDS = 500;
const END = "";
const NOWHERE: ReadonlyMap<number, CommonEnds> = new Map();
const SECOND_HALF = /^[\udc00-\udfff]/;

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

const countWhile = (most: number, isSame: (index: number) => boolean): number => {
  let count = 0;
  while (count < most && isSame(count)) count += 1;
  return count;
};

const measureEnds = (word: string, other: string, { before: most, after: mostAfter }: CommonEnds): CommonEnds => {
  const shorter = Math.min(word.length, other.length);
  const before = countWhile(Math.min(most, shorter), (index) => word[index] === other[index]);
  const left = Math.min(mostAfter, shorter - before);
  return { before, after: countWhile(left, (index) => word.at(-1 - index) === other.at(-1 - index)) };
};

const keepPairs = (word: string, { before, after }: CommonEnds): CommonEnds => ({
  before: SECOND_HALF.test(word.slice(before)) ? before - 1 : before,
  after: SECOND_HALF.test(word.slice(word.length - after)) ? after - 1 : after,
});

const listVarying = (alike: readonly Words[]): ReadonlyMap<number, CommonEnds> => {
  const [first = [], ...others] = alike;
  return new Map(
    first.flatMap((word, place): readonly (readonly [number, CommonEnds])[] => {
      const whole = { before: word.length, after: word.length };
      const ends = others.reduce((found, words) => measureEnds(word, words[place] ?? "", found), whole);
      return others.some((words) => words[place] !== word) ? [[place, keepPairs(word, ends)]] : [];
    }),
  );
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
      const depth = varying.size > 0 ? Math.min(...varying.keys()) : findFork(root, words);
      return { depth: depth > measureProgram(words) ? depth : 0, varying };
    },
  };
};
