import { accessSync, closeSync, constants, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { findProgram } from "../../../base/quote-command.ts";
import { isFile } from "../../settings/write-file.ts";
import { readInterpreter } from "./read-interpreter.ts";
import { readSbatchLines, type SbatchLines } from "./sbatch-lines.ts";

/** `words` run it, by the interpreter that was typed, or else its own. */
export type Script = Readonly<{ path: string; words: readonly string[]; lines: SbatchLines }>;

const LONGEST = 65_536;
const PLAIN_LINE = /^[\w@%+=:,./ \t-]+$/;
const INTERPRETER = /^(?:(?:ba|z|da|k|c|tc|fi)?sh|(?:python|pypy|perl)[\d.]*|ruby|node|julia|Rscript|lua)$/;
const NO_FILE_FLAG = /^-\w*[cm]$/;

const readStart = (path: string): string => {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(LONGEST);
    return buffer.toString("utf8", 0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
};

const canRead = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return isFile(path);
  } catch {
    return false;
  }
};

const splitLine = (words: readonly string[]): readonly string[] => {
  const [line = ""] = words;
  return words.length === 1 && PLAIN_LINE.test(line) && !canRead(line) ? line.trim().split(/\s+/) : words;
};

const findFile = (words: readonly string[], program: number): number => {
  const first = words[program] ?? "";
  if (!INTERPRETER.test(basename(first))) return canRead(first) ? program : -1;
  const file = words.findIndex((word, index) => index > program && canRead(word));
  const between = words.slice(program + 1, file);
  const isFlag = (word: string | undefined): boolean => /^[-+]/.test(word ?? "");
  return between.every((word, index) => (isFlag(word) ? !NO_FILE_FLAG.test(word) : isFlag(between[index - 1])))
    ? file
    : -1;
};

/** The script with `#SBATCH` lines that the words run; null where they run another thing. */
export const findScript = (typed: readonly string[]): Script | null => {
  const words = splitLine(typed);
  const program = findProgram(words);
  const path = words[findFile(words, program)];
  if (path === undefined) return null;
  const start = readStart(path);
  const lines = readSbatchLines(start);
  const isTyped = path !== words[program];
  return lines === null
    ? null
    : { path, lines, words: words.toSpliced(program, 0, ...(isTyped ? [] : readInterpreter(start))) };
};
