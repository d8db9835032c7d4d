type Sign = Readonly<{ sign: RegExp; reason: (name: string) => string }>;

const MAX_NAME = 100;
const MAX_LINE = 2000;
const QUOTES = /^['"`\u2018]|['"`\u2019]$/g;
const SHELL = "(?:^|: )";
const NAME = "([^:]{1,500})";

const NO_COMMAND = (name: string): string =>
  name.includes("/") ? `There is no file ${name}` : `There is no command ${name} on the job's PATH`;

const NOT_FOUND: readonly Sign[] = [
  { sign: new RegExp(`${SHELL}${NAME}: (?:command )?not found$`), reason: NO_COMMAND },
  {
    sign: new RegExp(`${SHELL}${NAME}: cannot execute: required file not found$`),
    reason: (name) => `The program that ${name} names in its first line is not there`,
  },
  { sign: new RegExp(`${SHELL}${NAME}: No such file or directory$`), reason: NO_COMMAND },
];

const NOT_EXECUTABLE: readonly Sign[] = [
  {
    sign: new RegExp(`${SHELL}${NAME}: Permission denied$`),
    reason: (name) => `${name} may not be executed: chmod +x it, or name its interpreter before it`,
  },
  { sign: new RegExp(`${SHELL}${NAME}: Is a directory$`), reason: (name) => `${name} is a folder, no program` },
  {
    sign: new RegExp(
      `${SHELL}${NAME}: (?:cannot execute binary file: )?Exec format error$|${SHELL}${NAME}: cannot execute binary file$`,
    ),
    reason: (name) => `${name} is no program for this machine`,
  },
];

const readName = (match: RegExpExecArray): string =>
  (match[1] ?? match[2] ?? "")
    .replace(/^.*run command /, "")
    .trim()
    .replace(QUOTES, "")
    .slice(0, MAX_NAME);

const findReason = (lines: readonly string[], signs: readonly Sign[]): string | null => {
  const found = lines.flatMap((line) =>
    signs.flatMap(({ sign, reason }) => {
      const match = sign.exec(line.slice(0, MAX_LINE));
      return match === null ? [] : [reason(readName(match))];
    }),
  );
  return found.at(-1) ?? null;
};

/** What a shell says that ends with 127. */
export const explainNotFound = (lines: readonly string[]): string | null => findReason(lines, NOT_FOUND);

/** What a shell says that ends with 126. */
export const explainNotExecutable = (lines: readonly string[]): string | null => findReason(lines, NOT_EXECUTABLE);
