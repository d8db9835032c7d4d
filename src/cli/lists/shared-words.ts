type Words = readonly string[];
type Node = Readonly<{ depth: number; length: number; lists: Words[]; next: Map<string, Node> }>;

/**
 * `depth`: with how many words it begins that others of the list begin with, too, 0 for none; `varying`: the places from there on
 * at which those that have as many words differ.
 */
export type Shared = Readonly<{ depth: number; varying: ReadonlySet<number> }>;

export type SharedWords = Readonly<{ find: (words: Words) => Shared }>;

const MOST_WORDS = 500;
const END = "";

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

const isFork = ({ next }: Node): boolean => next.size > 1;

const findFork = (root: Node, words: Words): Node => {
  let best = root;
  let node: Node | undefined = root;
  for (const word of words) {
    node = node.next.get(word);
    if (node === undefined) break;
    if (isFork(node) && weigh(node) > weigh(best)) best = node;
  }
  return best;
};

const listVarying = ({ depth, lists }: Node, words: Words): ReadonlySet<number> => {
  const alike = lists.filter(({ length }) => length === words.length);
  const places = words.map((_word, place) => place).slice(depth);
  return new Set(places.filter((place) => alike.some((list) => list[place] !== words[place])));
};

/** Of all beginnings that a list shares with others the one counts that leaves out most of all of them together. */
export const createSharedWords = (lists: readonly Words[]): SharedWords => {
  const root = createNode(0, 0);
  const distinct = new Map(lists.map((words) => [words.join(" "), words]));
  for (const words of distinct.values()) addList(root, words);
  return {
    find: (words) => {
      const fork = findFork(root, words);
      return fork === root
        ? { depth: 0, varying: new Set() }
        : { depth: fork.depth, varying: listVarying(fork, words) };
    },
  };
};
