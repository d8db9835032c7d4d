/** Of a command, from its first to its last character. */
export type TextSpan = Readonly<{ start: number; end: number }>;

/** From `{` to `}`, both by their index; `commas` are those that separate its parts. */
export type Braces = Readonly<{ start: number; end: number; commas: readonly number[]; isVariable: boolean }>;

type Bracket = Readonly<{ close: string; commas: number }>;
type Open = Readonly<{ start: number; isVariable: boolean; commas: number[]; brackets: Bracket[] }>;

const MAX_DEPTH = 500;
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]" };
const TOKEN = /\\[\s\S]|(?<![A-Za-z0-9])(?:"(?:\\[^\0\n]|[^"\\\0\n])*"|'[^'\0\n]*')|\$?\{|[}()[\],]/g;

const closeBracket = ({ brackets, commas }: Open, token: string): void => {
  const last = brackets.at(-1);
  if (last?.close !== token) return;
  brackets.pop();
  commas.length = last.commas;
};

const readInside = (open: Open, token: string, index: number): void => {
  const close = CLOSING[token];
  if (token === ",") open.commas.push(index);
  else if (close !== undefined) open.brackets.push({ close, commas: open.commas.length });
  else closeBracket(open, token);
};

const closeBraces = ({ start, isVariable, commas }: Open, end: number): Braces => ({ start, end, commas, isVariable });

const opensBraces = (token: string): boolean => token === "{" || token === "${";

const isQuote = (token: string): boolean => /^["']/.test(token);

type Scan = Readonly<{ found: Braces[]; opened: Open[] }>;

const readToken = ({ found, opened }: Scan, token: string, index: number): void => {
  const open = opened.at(-1);
  if (opensBraces(token))
    opened.push({ start: index + token.length - 1, isVariable: token.length > 1, commas: [], brackets: [] });
  else if (open === undefined) return;
  else if (token === "}") found.push(closeBraces(opened.pop() ?? open, index));
  else readInside(open, token, index);
};

/** Those that are closed, by where they start; null where they are nested too deep. A quote counts only within braces. */
export const findBraces = (text: string): readonly Braces[] | null => {
  const token = new RegExp(TOKEN);
  const scan: Scan = { found: [], opened: [] };
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (scan.opened.length === 0 && isQuote(match[0])) token.lastIndex = match.index + 1;
    else readToken(scan, match[0], match.index);
    if (scan.opened.length > MAX_DEPTH) return null;
  }
  return scan.found.toSorted((a, b) => a.start - b.start);
};
