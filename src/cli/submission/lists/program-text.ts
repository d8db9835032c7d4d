import type { TextSpan } from "./find-braces.ts";

type Word = TextSpan & Readonly<{ text: string }>;
type Words = readonly Word[];
type Interpreter = Readonly<{ name: RegExp; takesCode: RegExp; hasCode: RegExp }>;

const TOKEN = /(?:"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|[^\s;&|()`"'\\])+|[;&|()`\n]+/g;
const OPERATOR = /^[;&|()`\n]/;
const SHELL_TEXT = /[;\n]\s*do\b|<<|(?:^|[\s;&|])[\w-]+\s*\(\)\s*[{(]|\bfunction\s+\w|\bcase\s[^;]*\sin\b/;
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;
const BEFORE_PROGRAM =
  /^(?:do|then|else|elif|if|while|until|!|\{|time|timeout|env|nohup|nice|exec|command|sudo|xargs|stdbuf|srun|-.*|\d+[smhd]?)$/;
const TEXT_TOOL = /^(?:jq|yq|g?sed|[gmn]?awk|[efz]?grep|rg|ag|pcre2?grep|find)$/;
const PATTERN_FLAG = /^(?:-[A-Za-z]*e|--(?:expression|regexp))$/;
const PATTERN_IN_FLAG = /^(?:-[A-Za-z]*e[^A-Za-z]|--(?:expression|regexp)=)/;
const PLAIN = /^[\w.,:=/+@%{}-]*$/;
const INTERPRETERS: readonly Interpreter[] = [
  {
    name: /^(?:(?:ba|z|da|k|fi)?sh|(?:python|pypy)[\d.]*)$/,
    takesCode: /^-[A-Za-z0-9]*c$/,
    hasCode: /^-[A-Za-z0-9]*c./,
  },
  {
    name: /^(?:perl[\d.]*|ruby|node|nodejs|deno|bun|julia|R|Rscript|php|lua)$/,
    takesCode: /^(?:-[A-Za-z0-9.]*[eErp]|--(?:eval|print))$/,
    hasCode: /^(?:-[A-Za-z0-9.]*[eErp].|--(?:eval|print)=)/,
  },
];
const TAKES_VALUE = /^(?:[-+][A-Za-z]*[oOWXQILJtC]|--(?:rcfile|init-file|require|import|load|threads|project))$/;

const baseName = (word: string): string => word.slice(word.lastIndexOf("/") + 1);

const splitTyped = (glued: string): Words => {
  let start = 0;
  return glued.split("\0").map((text) => {
    const word = { text, start, end: start + text.length };
    start = word.end + 1;
    return word;
  });
};

const splitLine = (line: string): readonly Words[] => {
  const statements: Word[][] = [[]];
  for (const { 0: token, index } of line.matchAll(TOKEN)) {
    const word = { text: token.replace(/["'\\]/g, ""), start: index, end: index + token.length };
    if (OPERATOR.test(token)) statements.push([]);
    else statements.at(-1)?.push(word);
  }
  return statements;
};

const isOption = (text: string): boolean => /^[-+]./.test(text) && text !== "--" && text !== "-m";

type Step = Readonly<{ code: Words; words: number }>;

const readStep = ({ takesCode, hasCode }: Interpreter, word: Word, next: Word | undefined): Step => {
  if (next !== undefined && takesCode.test(word.text)) return { code: [next], words: 2 };
  const isValueNext = TAKES_VALUE.test(word.text) && next?.text.startsWith("-") === false;
  return { code: hasCode.test(word.text) ? [word] : [], words: isValueNext ? 2 : 1 };
};

const listCode = (interpreter: Interpreter, rest: Words): Words => {
  const found: Word[] = [];
  let at = 0;
  for (let word = rest[at]; word !== undefined && isOption(word.text); word = rest[at]) {
    const step = readStep(interpreter, word, rest[at + 1]);
    found.push(...step.code);
    at += step.words;
  }
  return found;
};

const listAllCode = (words: Words): Words =>
  words.flatMap(({ text }, at) => {
    const interpreter = INTERPRETERS.find(({ name }) => name.test(baseName(text)));
    return interpreter === undefined ? [] : listCode(interpreter, words.slice(at + 1));
  });

const listPatterns = (rest: Words, isFind: boolean): Words => {
  const isFlag = (word: Word | undefined): boolean => word?.text.startsWith("-") === true;
  const program = rest.findIndex((word, at) => !isFlag(word) && !isFlag(rest[at - 1]) && !PLAIN.test(word.text));
  return rest.filter((word, at) => {
    if (isFlag(word)) return PATTERN_IN_FLAG.test(word.text);
    return isFind || program === -1 || at <= program || PATTERN_FLAG.test(rest[at - 1]?.text ?? "");
  });
};

const listToolText = (words: Words): Words => {
  const program = words.findIndex(({ text }) => !ASSIGNMENT.test(text) && !BEFORE_PROGRAM.test(text));
  const name = baseName(words[program]?.text ?? "");
  return TEXT_TOOL.test(name) ? listPatterns(words.slice(program + 1), name === "find") : [];
};

/** What of a command is surely or perhaps the text of a program: code after `-c`, patterns of grep and the like, a loop of the shell. */
export const findProgramText = (command: string): readonly TextSpan[] => {
  const isLine = !command.includes("\0");
  if (isLine && SHELL_TEXT.test(command)) return [{ start: 0, end: command.length }];
  const statements = isLine ? splitLine(command) : [splitTyped(command)];
  const scripts = isLine ? [] : statements.flat().filter(({ text }) => SHELL_TEXT.test(text));
  return [...scripts, ...statements.flatMap((words) => [...listAllCode(words), ...listToolText(words)])];
};
