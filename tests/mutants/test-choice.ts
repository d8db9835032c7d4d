import { posix } from "node:path";
import { listNeeded } from "../house/import-rules.ts";
import { isTest, type SourceFile } from "../house/source-file.ts";

/** `near`: those that import a file, unit tests before others and the nearest first, and those of its folder. `far`: those that run whole programs. */
export type Tests = Readonly<{ near: readonly string[]; far: readonly string[] }>;

const WHOLE_PROGRAMS = "tests/e2e/";

const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  access: ["access", "http", "local", "token", "tokens"],
  agents: ["agent", "agents", "mcp"],
  attach: ["attach", "live", "screen", "terminal"],
  client: ["cli"],
  connection: ["connection", "targets", "certificate", "tls", "ssh"],
  installation: ["config", "installation", "settings", "setup"],
  jobs: ["changes", "gpus", "job", "jobs", "queue", "running", "screen", "wandb"],
  notices: ["couriers", "deliveries", "notices", "notifications"],
  outputs: ["files", "outputs", "pull"],
  queue: ["batches", "changes", "fields", "queue", "words"],
  upkeep: ["artifacts", "backup", "clean", "machine", "metrics", "restore", "sqlite", "telemetry", "upkeep"],
};

const listWords = (path: string): readonly string[] => path.split(/[/.-]/);

const isAbout = (test: string, words: readonly string[]): boolean =>
  (SUBJECTS[test.slice(WHOLE_PROGRAMS.length).split("/")[0] ?? ""] ?? []).some((word) => words.includes(word));

const listImporters = (files: readonly SourceFile[]): ReadonlyMap<string, readonly string[]> => {
  const importers = new Map<string, string[]>();
  for (const file of files)
    for (const target of listNeeded(file)) importers.set(target, [...(importers.get(target) ?? []), file.path]);
  return importers;
};

const nameShared = (test: string, path: string): number => {
  const own = listWords(posix.basename(path, ".ts"));
  return listWords(posix.basename(test, ".test.ts")).filter((word) => own.includes(word)).length;
};

const isUnit = (test: string): boolean => test.startsWith("src/") && !test.endsWith(".integration.test.ts");

const isNamedFor = (test: string, path: string): boolean => test.startsWith(path.replace(/ts$/, ""));

/** Returns which tests may see a break of the file given. */
export const createTestChoice = (files: readonly SourceFile[]): ((path: string) => Tests) => {
  const importers = listImporters(files);
  const tests = files.map(({ path }) => path).filter(isTest);
  return (path) => {
    const reached = new Set([path]);
    for (const one of reached) for (const importer of importers.get(one) ?? []) reached.add(importer);
    const own = tests.filter((test) => posix.dirname(test) === posix.dirname(path));
    const far = tests.filter((test) => test.startsWith(WHOLE_PROGRAMS) && isAbout(test, listWords(path)));
    const importing = [...reached].filter(isTest).toSorted((a, b) => Number(isUnit(b)) - Number(isUnit(a)));
    const near = new Set([...own.filter((test) => isNamedFor(test, path)), ...importing, ...own]);
    return {
      near: [...near].filter((test) => !far.includes(test)),
      far: far.toSorted((a, b) => nameShared(b, path) - nameShared(a, path)),
    };
  };
};
