import { isSecret, isSecretName, listSecrets, looksRandom, MASK, maskSecrets } from "../../base/secret-names.ts";
import { findLine, matchAt, type Piece, readPiece, START, skipWord } from "./shell-text.ts";

type Span = Readonly<{ start: number; end: number; closer: string }>;

const ASSIGNED = /(?<!\w)([A-Za-z_][\w.-]*)(?:\[[^\]\n]*\]|\])?[ \t]*[+!]?==?[ \t]*/y;
const FLAG = /(?<!\S)(-[\w-]+)[ \t]+(?![-<>|&;])/y;
const HERE_STRING = /<<<[ \t]*/y;
const AFTER_QUOTED_NAME = /\]?[ \t]*[+!]?==?[ \t]*/y;
const NAMED =
  /([A-Za-z_][\w.-]*)(?:\[[^\]\n]*\])?["'`]?\]?[ \t]*[:=][ \t]*(?=["'`]?([^\s"'`]*))|\$\{([A-Za-z_]\w*)[-+?]/g;
const IDENTIFIER = /[A-Za-z_][\w-]*/g;
const LEAST_LENGTH = 8;

const namesSecret = (text: string): boolean => text.match(IDENTIFIER)?.some(isSecretName) === true;

const holdsSecret = (text: string): boolean => namesSecret(text) || text.split(/\s+/).some(looksRandom);

const unquote = (word: string): string => word.replaceAll(/["'\\]/g, "");

const readWord = (text: string, start: number): Span => ({ start, end: skipWord(text, start), closer: "" });

const findAssigned = (text: string, at: number): Span | null => {
  const [whole, name = ""] = matchAt(ASSIGNED, text, at) ?? [];
  if (whole === undefined) return null;
  const word = readWord(text, at + whole.length);
  return isSecret(name, unquote(text.slice(word.start, word.end))) ? word : null;
};

const findGiven = (text: string, at: number): Span | null => {
  const [flag, name = ""] = matchAt(FLAG, text, at) ?? [];
  if (flag !== undefined && isSecretName(name)) return readWord(text, at + flag.length);
  const [operator] = matchAt(HERE_STRING, text, at) ?? [];
  return operator !== undefined && namesSecret(findLine(text, at)) ? readWord(text, at + operator.length) : null;
};

const findEndOfName = (text: string): number | null => {
  for (const { index, 0: whole, 1: name, 2: word = "", 3: tested = "" } of text.matchAll(NAMED))
    if (isSecret(name ?? tested, word)) return index + whole.length;
  return null;
};

const findInRegion = (text: string, { start, end, closer }: Piece): Span | null => {
  const region = text.slice(start, end);
  const named = findEndOfName(region);
  if (named !== null) return { start: start + named, end: skipWord(text, end), closer };
  const [sign] = matchAt(AFTER_QUOTED_NAME, text, end) ?? [];
  return sign !== undefined && namesSecret(region) ? readWord(text, end + sign.length) : null;
};

const findInRemark = (text: string, { start, end }: Piece): Span | null => {
  const named = findEndOfName(text.slice(start, end));
  if (named === null) return null;
  const [line = ""] = text.slice(start + named, end).split("\n", 1);
  const isOpen = skipWord(`${line}\n`, 0) > line.length;
  return { start: start + named, end: isOpen ? end : start + named + line.length, closer: "" };
};

const findInHeredoc = (text: string, { start, end, closer, openedAt }: Piece): Span | null =>
  namesSecret(findLine(text, openedAt)) || holdsSecret(text.slice(start, end)) ? { start, end, closer } : null;

const findSpan = (text: string, piece: Piece): Span | null => {
  switch (piece.kind) {
    case "remark":
      return findInRemark(text, piece);
    case "heredoc":
      return findInHeredoc(text, piece);
    case "region":
      return findInRegion(text, piece);
    case "newline":
      return null;
    case "other":
      return findAssigned(text, piece.start) ?? findGiven(text, piece.start);
  }
};

const listSpans = (text: string): readonly Span[] => {
  const spans: Span[] = [];
  for (let piece = START; piece.end < text.length; ) {
    const next = readPiece(text, piece);
    const span = findSpan(text, next);
    const isFilled = span !== null && text.slice(span.start, span.end) !== span.closer;
    if (isFilled) spans.push(span);
    piece = isFilled ? { ...next, kind: "other", end: span.end } : next;
  }
  return spans;
};

const listValues = (text: string, spans: readonly Span[]): readonly string[] => {
  const words = spans.filter(({ closer }) => closer === "").map(({ start, end }) => unquote(text.slice(start, end)));
  const literal = words.filter((word) => !/[$`]/.test(word));
  return listSecrets(Object.fromEntries(literal.map((word, index) => [`SECRET_${index}`, word]))).filter(
    ({ length }) => length >= LEAST_LENGTH,
  );
};

/** What bash reads before a job, without values that are secret: those of variables, of flags and in here-documents. */
export const maskJobrc = (text: string): string => {
  const spans = listSpans(text);
  const shown = spans.map(({ start, closer }, index) => {
    const before = text.slice(spans[index - 1]?.end ?? 0, start);
    return `${before}${MASK}${closer}`;
  });
  return maskSecrets(`${shown.join("")}${text.slice(spans.at(-1)?.end ?? 0)}`, listValues(text, spans));
};
