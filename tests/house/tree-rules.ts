import { posix } from "node:path";
import type { Declaration } from "oxc-parser";
import { isTest, type Mistake, type SourceFile, visitSource } from "./source-file.ts";

const MOST_FILES = 20;
const FOLDERS_OF_MANY = new Set(["verbs", "routes"]);

const PROGRAMS: readonly Readonly<{ name: string; folders: readonly string[] }>[] = [
  { name: "nx", folders: ["src/base/", "src/tools/", "src/wire/", "src/command-line/", "src/cli/"] },
  { name: "nexus-server", folders: ["src/base/", "src/tools/", "src/wire/", "src/command-line/", "src/server/"] },
];

const SAME_IN_EACH: ReadonlySet<string> = new Set(["verb"]);

/** Folders with more files than one can look over, tests not counted. */
export const findCrowdedFolders = (paths: readonly string[]): readonly Mistake[] =>
  [
    ...Map.groupBy(
      paths.filter((path) => !isTest(path)),
      (path) => posix.dirname(path),
    ),
  ]
    .filter(([folder, { length }]) => length > MOST_FILES && !FOLDERS_OF_MANY.has(posix.basename(folder)))
    .map(([folder, { length }]) => `${folder}: ${length} files, more than ${MOST_FILES}`);

const listDeclared = (declaration: Declaration | null): readonly string[] => {
  switch (declaration?.type) {
    case "VariableDeclaration":
      return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
    case "TSTypeAliasDeclaration":
      return [declaration.id.name];
    case "FunctionDeclaration":
      return declaration.id ? [declaration.id.name] : [];
    default:
      return [];
  }
};

const listExports = (file: SourceFile): readonly string[] => {
  const names: string[] = [];
  visitSource(file, { ExportNamedDeclaration: ({ declaration }) => names.push(...listDeclared(declaration)) });
  return names;
};

/** Names that two files of one program export: who reads one does not know which is meant. */
export const findSharedNames = (files: readonly SourceFile[]): readonly Mistake[] =>
  PROGRAMS.flatMap(({ name: program, folders }) => {
    const own = files.filter(({ path }) => !isTest(path) && folders.some((folder) => path.startsWith(folder)));
    const exported = own.flatMap((file) => listExports(file).map((name) => ({ name, path: file.path })));
    return [...Map.groupBy(exported, ({ name }) => name)]
      .filter(([name, places]) => places.length > 1 && !SAME_IN_EACH.has(name))
      .map(([name, places]) => `${program}: ${name} is exported by ${places.map(({ path }) => path).join(" and ")}`);
  });
