import { posix } from "node:path";
import { describeMistake, isTest, type Mistake, type SourceFile, visitSource } from "./source-file.ts";

type Import = Readonly<{ from: string; offset: number }>;

type Layer = Readonly<{
  folder: string;
  mayReach: readonly string[];
  mayImport: "no module" | "zod" | "portable modules" | "any module";
}>;

const SHARED = "src/shared/";
const CORE = "src/server/core/";

const LAYERS: readonly Layer[] = [
  { folder: SHARED, mayReach: ["package.json"], mayImport: "zod" },
  { folder: CORE, mayReach: [SHARED], mayImport: "no module" },
  { folder: "src/server/scheduler/", mayReach: [SHARED, CORE], mayImport: "portable modules" },
  { folder: "src/server/api/", mayReach: [SHARED, CORE], mayImport: "portable modules" },
  { folder: "src/server/external/", mayReach: [SHARED, CORE], mayImport: "any module" },
  { folder: "src/server/installation/", mayReach: [SHARED, CORE], mayImport: "portable modules" },
  { folder: "src/server/", mayReach: [SHARED], mayImport: "any module" },
  { folder: "src/cli/", mayReach: [SHARED], mayImport: "portable modules" },
];

const BUN_USERS = [
  "src/cli/light-files.ts",
  "src/server/external/",
  "src/server/main.ts",
  "src/server/start-server.ts",
];

const listImports = (file: SourceFile): readonly Import[] => {
  const found: Import[] = [];
  const add = (source: Readonly<{ type: string; value?: unknown; start: number }> | null): void => {
    const from = source?.type === "Literal" && typeof source.value === "string" ? source.value : "a computed name";
    if (source) found.push({ from, offset: source.start });
  };
  visitSource(file, {
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
  });
  return found;
};

const mayImportModule = (from: string, layer: Layer): boolean => {
  if (layer.mayImport === "any module") return true;
  if (layer.mayImport === "zod") return from === "zod";
  return layer.mayImport === "portable modules" && from !== "bun" && !from.startsWith("bun:");
};

const mayImportFile = (target: string, layer: Layer): boolean =>
  !isTest(target) && [layer.folder, ...layer.mayReach].some((folder) => target.startsWith(folder));

const isAllowed = (path: string, from: string, layer: Layer): boolean =>
  from.startsWith(".")
    ? mayImportFile(posix.join(posix.dirname(path), from), layer)
    : from !== "a computed name" && mayImportModule(from, layer);

export const findForbiddenImports = (file: SourceFile): readonly Mistake[] => {
  if (isTest(file.path)) return [];
  const layer = LAYERS.find(({ folder }) => file.path.startsWith(folder));
  if (!layer) return [`${file.path}: stands in no known layer`];
  return listImports(file)
    .filter(({ from }) => !isAllowed(file.path, from, layer))
    .map(({ from, offset }) => describeMistake(file, offset, `${layer.folder} may not import ${from}`));
};

export const findMissingExtensions = (file: SourceFile): readonly Mistake[] =>
  listImports(file)
    .filter(({ from }) => from.startsWith(".") && !/\.(ts|json)$/.test(from))
    .map(({ from, offset }) => describeMistake(file, offset, `${from} lacks its extension`));

export const findBunGlobals = (file: SourceFile): readonly Mistake[] => {
  if (isTest(file.path) || BUN_USERS.some((user) => file.path.startsWith(user))) return [];
  const found: Mistake[] = [];
  visitSource(file, {
    Identifier: (node) => {
      if (node.name === "Bun") found.push(describeMistake(file, node.start, "Bun.* belongs into an adapter"));
    },
  });
  return found;
};
