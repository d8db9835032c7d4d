type Skip = (text: string, at: number) => number;
type Opening = Readonly<{ opener: string; closer: string; skip: Skip }>;
type Heredoc = Readonly<{ openedAt: number; word: string; isIndented: boolean }>;

/**
 * A stretch of a shell's text that ends at `end`, or with the text where nothing closes it. A region is quoted or
 * substituted. `openedAt` is where a here-document's operator stands, `waiting` are those whose text is still to come.
 */
export type Piece = Readonly<{
  kind: "remark" | "heredoc" | "region" | "newline" | "other";
  start: number;
  end: number;
  closer: string;
  openedAt: number;
  waiting: readonly Heredoc[];
}>;

const REMARK = /(?<![^\s;&|()])#[^\n]*/y;
const REMARKS = /(?<![^\s;&|()])#[^\n]*(?:\n[ \t]*#[^\n]*)*/y;
const HEREDOC = /(?<!<)<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|\\?([^\s;&|()<>'"`\\]+))/y;
const CASE = /(?<![\w$-])case\s.*?(?<![\w-])esac(?![\w-])/sy;
const WORD_END = /[ \t\n;&|]|<</y;

export const START: Piece = { kind: "other", start: 0, end: 0, closer: "", openedAt: 0, waiting: [] };

export const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

const skipUntil =
  (closer: string, step: Skip): Skip =>
  (text, at) => {
    let place = at;
    while (place < text.length && !text.startsWith(closer, place)) place = step(text, place);
    return Math.min(place + closer.length, text.length);
  };

const stepPlain: Skip = (_text, at) => at + 1;
const stepEscaped: Skip = (text, at) => at + (text[at] === "\\" ? 2 : 1);

const findRegion = (openings: readonly Opening[], text: string, at: number): Pick<Piece, "end" | "closer"> | null => {
  const opening = openings.find(({ opener }) => text.startsWith(opener, at));
  return opening === undefined ? null : { end: opening.skip(text, at + opening.opener.length), closer: opening.closer };
};

const stepOver =
  (listOpenings: () => readonly Opening[]): Skip =>
  (text, at) =>
    findRegion(listOpenings(), text, at)?.end ?? stepEscaped(text, at);

const stepWord = stepOver(() => REGIONS);
const stepDouble = stepOver(() => IN_DOUBLE_QUOTES);
const stepQuotedBraces = stepOver(() => IN_QUOTED_BRACES);
const stepParens: Skip = (text, at) => (text[at] === "(" ? skipParens(text, at + 1) : at + 1);
const skipParens = skipUntil(")", stepParens);

const skipNested: Skip = (text, at) =>
  text[at] === "(" ? skipCommands(text, at + 1) : at + (matchAt(CASE, text, at)?.[0].length ?? 0);

const skipCommands: Skip = (text, at) => {
  let piece: Piece = { ...START, end: at };
  while (piece.end < text.length && text[piece.end] !== ")") {
    const end = skipNested(text, piece.end);
    piece = end > piece.end ? { ...piece, end } : readPiece(text, piece);
  }
  return Math.min(piece.end + 1, text.length);
};

const SUBSTITUTIONS: readonly Opening[] = [
  { opener: "`", closer: "`", skip: skipUntil("`", stepEscaped) },
  { opener: "$((", closer: "))", skip: skipUntil("))", stepParens) },
  { opener: "$(", closer: ")", skip: skipCommands },
];

const IN_DOUBLE_QUOTES: readonly Opening[] = [
  ...SUBSTITUTIONS,
  { opener: "${", closer: "}", skip: skipUntil("}", stepQuotedBraces) },
];

const IN_QUOTED_BRACES: readonly Opening[] = [
  ...IN_DOUBLE_QUOTES,
  { opener: '"', closer: '"', skip: skipUntil('"', stepDouble) },
];

const REGIONS: readonly Opening[] = [
  ...SUBSTITUTIONS,
  { opener: "${", closer: "}", skip: skipUntil("}", stepWord) },
  { opener: "((", closer: "))", skip: skipUntil("))", stepParens) },
  { opener: "<(", closer: ")", skip: skipCommands },
  { opener: ">(", closer: ")", skip: skipCommands },
  { opener: "$'", closer: "'", skip: skipUntil("'", stepEscaped) },
  { opener: "'", closer: "'", skip: skipUntil("'", stepPlain) },
  { opener: '"', closer: '"', skip: skipUntil('"', stepDouble) },
];

const findLineEnd = (text: string, at: number): number => {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
};

const readBody = (text: string, at: number, { word, isIndented }: Heredoc): Pick<Piece, "end" | "closer"> => {
  for (let start = at; start < text.length; ) {
    const end = findLineEnd(text, start);
    const line = text.slice(start, end);
    if ((isIndented ? line.replace(/^\t+/, "") : line) === word) return { end, closer: `\n${line}` };
    start = end + 1;
  }
  return { end: text.length, closer: "" };
};

const readOpened = (text: string, at: number): Heredoc | null => {
  const [, dash, single, double, bare] = matchAt(HEREDOC, text, at) ?? [];
  const word = single ?? double ?? bare;
  return word === undefined ? null : { openedAt: at, word, isIndented: dash === "-" };
};

const readCommand = (text: string, at: number, waiting: Piece["waiting"]): Piece => {
  const piece = { ...START, start: at, waiting };
  if (text[at] === "\n") return { ...piece, kind: "newline", end: at + 1 };
  const remark = matchAt(waiting.length === 0 ? REMARKS : REMARK, text, at);
  if (remark !== null) return { ...piece, kind: "remark", end: at + remark[0].length };
  const region = findRegion(REGIONS, text, at);
  if (region !== null) return { ...piece, kind: "region", ...region };
  const opened = readOpened(text, at);
  return opened === null
    ? { ...piece, end: stepEscaped(text, at) }
    : { ...piece, end: at + 2, waiting: [...waiting, opened] };
};

/** What follows a piece. */
export const readPiece = (text: string, { kind, end: at, waiting }: Piece): Piece => {
  const [heredoc, ...others] = waiting;
  if (kind !== "newline" || heredoc === undefined) return readCommand(text, at, waiting);
  const { openedAt } = heredoc;
  return { kind: "heredoc", start: at, ...readBody(text, at, heredoc), openedAt, waiting: others };
};

/** The end of the word that begins there, which may be a list in parentheses. */
export const skipWord = (text: string, at: number): number => {
  let place = text[at] === "(" ? skipCommands(text, at + 1) : at;
  while (place < text.length && matchAt(WORD_END, text, place) === null) place = stepWord(text, place);
  return Math.min(place, text.length);
};

export const findLine = (text: string, at: number): string =>
  text.slice(text.lastIndexOf("\n", at - 1) + 1, findLineEnd(text, at));
