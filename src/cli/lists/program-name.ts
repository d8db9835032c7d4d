type Words = readonly string[];

const ASSIGNMENT = /^[A-Za-z_]\w*=/;
const INTERPRETER =
  /^(?:python|pypy|bash|sh|zsh|perl|ruby|node|bun|julia|Rscript|torchrun|accelerate|deepspeed|uv|srun)[\d.]*$/;
const SCRIPT = /\.(?:py|sh|bash|pl|rb|jl|R|js|mjs|ts)$/;
const PATH = /^[^\s'"\\$`;|&()<>]*\/[^\s'"\\$`;|&()<>/]+$/;

const dropFolder = (word: string): string => (PATH.test(word) ? word.slice(word.lastIndexOf("/") + 1) : word);

const findProgram = (words: Words): number => words.findIndex((word) => !ASSIGNMENT.test(word));

const findScript = (words: Words, program: number): number =>
  INTERPRETER.test(dropFolder(words[program] ?? ""))
    ? words.findIndex((word, place) => place > program && SCRIPT.test(word))
    : -1;

/** The program, and the script that an interpreter is given, without their folders. */
export const dropFolders = (words: Words): Words => {
  const program = findProgram(words);
  const script = findScript(words, program);
  return words.map((word, place) => (place === program || place === script ? dropFolder(word) : word));
};

/** The same without the interpreter where the script follows at once. */
export const dropInterpreter = (words: Words): Words =>
  dropFolders(words).slice(findProgram(words) === 0 && findScript(words, 0) === 1 ? 1 : 0);

/** How many words come before the first that the program, or the script that an interpreter is given, is given. */
export const measureProgram = (words: Words): number => {
  const program = findProgram(words);
  return Math.max(program, findScript(words, program)) + 1;
};

/** The script that an interpreter is given, or the program. */
export const nameProgram = (words: Words): string => {
  const program = findProgram(words);
  const script = findScript(words, program);
  return dropFolder(words[script === -1 ? program : script] ?? words[0] ?? "");
};
