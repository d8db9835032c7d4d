import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { checkAbility } from "./ability.ts";

/** As strace tells it, open files with their paths. */
export type Call = Readonly<{ name: string; words: string }>;

const LINE = /^(?:\d+ +)?(\w+)\((.*)$/;

/** Before the words of a program: it runs as ever, and its calls of these names are written to `path`. */
export const trace = (path: string, names: readonly string[]): readonly string[] => [
  "strace",
  ...["--follow-forks", "--decode-fds=path", "--seccomp-bpf", "--quiet=all"],
  ...["-o", path, "-e", `trace=${names.join(",")}`],
];

export const readTrace = (path: string): readonly Call[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, name, words] = LINE.exec(line) ?? [];
      return name === undefined || words === undefined ? [] : [{ name, words }];
    });

const tryTrace = (): boolean => {
  const [program = "", ...words] = trace("/dev/null", ["fsync"]);
  return spawnSync(program, [...words, "true"]).status === 0;
};

export const canTrace: boolean = checkAbility(tryTrace(), "strace, and leave to trace one's own programs");
