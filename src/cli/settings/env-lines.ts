/** What a `.env` file sets, by where it stands; without a value the line sets nothing, and without `isRight` it can't be read. */
export type EnvLine = Readonly<{
  start: number;
  end: number;
  name: string | null;
  value: string | null;
  isRight: boolean;
}>;

type Token = Readonly<{ value: string; end: number }>;
type Read = (text: string, at: number) => Token | null;

const readWith =
  (pattern: RegExp): Read =>
  (text, at) => {
    const sticky = new RegExp(pattern, "y");
    sticky.lastIndex = at;
    const match = sticky.exec(text);
    return match && { value: match[1] ?? match[0], end: at + match[0].length };
  };

const BLANKS = readWith(/[^\S\r\n]*/);
const EXPORT = readWith(/(?:export[^\S\r\n]+)?/);
const QUOTED_NAME = readWith(/'([^']+)'/);
const NAME = readWith(/[^=#\s]+/);
const EQUALS = readWith(/=[^\S\r\n]*/);
const SINGLE_QUOTED = readWith(/'((?:\\'|[^'])*)'/);
const DOUBLE_QUOTED = readWith(/"((?:\\"|[^"])*)"/);
const UNQUOTED = readWith(/[^\r\n]*/);
const LINE_END = readWith(/(?:[^\S\r\n]*#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|$)/);
const REST = readWith(/[^\r\n]*(?:\r\n|\n|\r)?/);

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const unescapeValue = (value: string, escapes: RegExp): string =>
  value.replace(escapes, (_whole, character: string) => ESCAPES[character] ?? character);

const convert = (token: Token | null, change: (value: string) => string): Token | null =>
  token && { value: change(token.value), end: token.end };

const readValue: Read = (text, at) => {
  if (text[at] === "'") return convert(SINGLE_QUOTED(text, at), (value) => unescapeValue(value, /\\([\\'])/g));
  if (text[at] === '"') return convert(DOUBLE_QUOTED(text, at), (value) => unescapeValue(value, /\\([\\'"abfnrtv])/g));
  return convert(UNQUOTED(text, at), (value) => value.replace(/\s+#.*/s, "").trimEnd());
};

const skip = (read: Read, text: string, at: number): number => read(text, at)?.end ?? at;

const breakOff = (text: string, start: number, at: number): EnvLine => ({
  start,
  end: skip(REST, text, at),
  name: null,
  value: null,
  isRight: false,
});

const endLine = (
  text: string,
  start: number,
  line: Readonly<{ name: string | null; value: Token | null; at: number }>,
): EnvLine => {
  const { name, value, at } = line;
  const end = LINE_END(text, at);
  return end === null
    ? breakOff(text, start, at)
    : { start, end: end.end, name, value: value?.value ?? null, isRight: true };
};

const readNamed = (text: string, start: number): EnvLine => {
  const nameAt = skip(EXPORT, text, start);
  const name = text[nameAt] === "'" ? QUOTED_NAME(text, nameAt) : NAME(text, nameAt);
  if (name === null) return breakOff(text, start, nameAt);
  const at = skip(BLANKS, text, name.end);
  if (text[at] !== "=") return endLine(text, start, { name: name.value, value: null, at });
  const valueAt = skip(EQUALS, text, at);
  const value = readValue(text, valueAt);
  return value === null
    ? breakOff(text, start, valueAt)
    : endLine(text, start, { name: name.value, value, at: value.end });
};

/** By the rules of python-dotenv's parser (https://github.com/theskumar/python-dotenv, src/dotenv/parser.py). */
export const readEnvLines = (text: string): readonly EnvLine[] => {
  const lines: EnvLine[] = [];
  for (let at = text.search(/\S/); at !== -1 && at < text.length; ) {
    const line = text[at] === "#" ? endLine(text, at, { name: null, value: null, at }) : readNamed(text, at);
    lines.push(line);
    at = line.end + text.slice(line.end).search(/\S|$/);
  }
  return lines;
};
