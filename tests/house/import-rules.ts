import { posix } from "node:path";
import { describeMistake, isTest, type Mistake, type SourceFile, visitSource } from "./source-file.ts";

type Import = Readonly<{ from: string; offset: number; isType: boolean }>;

type Layer = Readonly<{
  folder: string;
  mayReach: readonly string[];
  mayImport: "no module" | "zod" | "node" | "portable modules" | "any module";
}>;

type Order = Readonly<{ folder: string; order: readonly (readonly string[])[] }>;

const BASE = "src/base/";
const TOOLS = "src/tools/";
const WIRE = "src/wire/";
const MCP = "src/mcp/";
const COMMAND_LINE = "src/command-line/";
const CORE = "src/server/core/";
const CHANGES = "src/server/changes/";
const INSIDE_SERVER = [BASE, TOOLS, WIRE, CORE];

const LAYERS: readonly Layer[] = [
  { folder: BASE, mayReach: ["package.json"], mayImport: "no module" },
  { folder: WIRE, mayReach: [BASE], mayImport: "zod" },
  { folder: TOOLS, mayReach: [BASE], mayImport: "node" },
  { folder: MCP, mayReach: [BASE, TOOLS, WIRE], mayImport: "portable modules" },
  { folder: COMMAND_LINE, mayReach: [BASE], mayImport: "no module" },
  { folder: CORE, mayReach: [BASE, WIRE], mayImport: "no module" },
  { folder: CHANGES, mayReach: INSIDE_SERVER, mayImport: "portable modules" },
  { folder: "src/server/tasks/", mayReach: [...INSIDE_SERVER, CHANGES], mayImport: "portable modules" },
  { folder: "src/server/api/", mayReach: [...INSIDE_SERVER, CHANGES, MCP], mayImport: "portable modules" },
  { folder: "src/server/external/", mayReach: INSIDE_SERVER, mayImport: "any module" },
  { folder: "src/server/installation/", mayReach: INSIDE_SERVER, mayImport: "portable modules" },
  { folder: "src/server/", mayReach: [BASE, TOOLS, WIRE, COMMAND_LINE], mayImport: "any module" },
  { folder: "src/cli/", mayReach: [BASE, TOOLS, WIRE, COMMAND_LINE, MCP], mayImport: "portable modules" },
];

const ORDERS: readonly Order[] = [
  {
    folder: CORE,
    order: [
      ["clock.ts", "refusal.ts"],
      ["jobs", "access"],
      ["machine", "upkeep"],
      ["queue", "notices"],
      ["store.ts", "settings"],
      ["running", "telemetry"],
    ],
  },
  {
    folder: "src/server/api/",
    order: [
      ["context.ts", "live", "access", "http", "jobs"],
      ["observe-request.ts", "route.ts", "agents"],
      ["routes", "mount-routes.ts"],
      ["app.ts"],
    ],
  },
  {
    folder: "src/server/external/",
    order: [
      ["job-folder", "sqlite", "machine"],
      [
        "screen",
        "gpus",
        "settings",
        "couriers",
        "telemetry",
        "wandb",
        "access",
        "certificate",
        "local-users",
        "personal",
      ],
      ["http", "earlier"],
    ],
  },
  {
    folder: "src/cli/",
    order: [
      ["terminal"],
      ["fields"],
      ["settings"],
      ["targets"],
      ["connection"],
      ["documents", "lists", "logs"],
      ["jobs", "code", "setup", "completion"],
      ["project"],
      ["submission", "attach", "top", "files"],
      ["agent"],
      ["verbs"],
      ["verb-table.ts", "foreign-words.ts"],
      ["program.ts"],
      ["complete-words.ts"],
      ["main.ts"],
    ],
  },
];

const FFI_USERS = ["src/tools/sockets/open-libc.ts"];

const BUN_USERS = [
  "src/cli/code/run-git.ts",
  "src/cli/connection/dial.ts",
  "src/cli/connection/joined-sockets.ts",
  "src/cli/terminal/light-files.ts",
  "src/cli/terminal/text-width.ts",
  "src/server/external/",
  "src/server/main.ts",
  "src/server/start-server.ts",
];

const listImports = (file: SourceFile): readonly Import[] => {
  const found: Import[] = [];
  const add = (source: Readonly<{ type: string; value?: unknown; start: number }> | null, isType: boolean): void => {
    const from = source?.type === "Literal" && typeof source.value === "string" ? source.value : "a computed name";
    if (source) found.push({ from, offset: source.start, isType });
  };
  visitSource(file, {
    ImportDeclaration: (node) => add(node.source, node.importKind === "type"),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
  });
  return found;
};

const resolveImport = (file: SourceFile, from: string): string => posix.join(posix.dirname(file.path), from);

const MODULES: Readonly<Record<Layer["mayImport"], (from: string) => boolean>> = {
  "no module": () => false,
  zod: (from) => from === "zod",
  node: (from) => from.startsWith("node:"),
  "portable modules": (from) => from !== "bun" && !from.startsWith("bun:"),
  "any module": () => true,
};

const mayImportFile = (target: string, layer: Layer): boolean =>
  !isTest(target) && [layer.folder, ...layer.mayReach].some((folder) => target.startsWith(folder));

const mayImportModule = ({ path }: SourceFile, from: string, { mayImport }: Layer): boolean =>
  MODULES[mayImport](from) || (from === "bun:ffi" && FFI_USERS.includes(path));

const isAllowed = (file: SourceFile, from: string, layer: Layer): boolean =>
  from.startsWith(".")
    ? mayImportFile(resolveImport(file, from), layer)
    : from !== "a computed name" && mayImportModule(file, from, layer);

export const findForbiddenImports = (file: SourceFile): readonly Mistake[] => {
  if (isTest(file.path)) return [];
  const layer = LAYERS.find(({ folder }) => file.path.startsWith(folder));
  if (!layer) return [`${file.path}: stands in no known layer`];
  return listImports(file)
    .filter(({ from }) => !isAllowed(file, from, layer))
    .map(({ from, offset }) => describeMistake(file, offset, `${layer.folder} may not import ${from}`));
};

const findStep = ({ folder, order }: Order, path: string): number =>
  order.findIndex((rooms) => rooms.includes(path.slice(folder.length).split("/")[0] ?? ""));

const isSameRoom = ({ folder }: Order, a: string, b: string): boolean =>
  a.slice(folder.length).split("/")[0] === b.slice(folder.length).split("/")[0];

const findImportsAgainst = (file: SourceFile, order: Order): readonly Mistake[] => {
  const own = findStep(order, file.path);
  const isAgainst = ({ from }: Import): boolean => {
    const target = resolveImport(file, from);
    if (!from.startsWith(".") || !target.startsWith(order.folder) || isSameRoom(order, target, file.path)) return false;
    return findStep(order, target) > own;
  };
  return listImports(file)
    .filter(isAgainst)
    .map(({ from, offset }) =>
      describeMistake(file, offset, `${from} stands after it in the order of ${order.folder}`),
    );
};

/** What goes against the order of the rooms of its layer, or stands in a room that has no place there. */
export const findDisorder = (file: SourceFile): readonly Mistake[] =>
  ORDERS.filter(({ folder }) => !isTest(file.path) && file.path.startsWith(folder)).flatMap((order) =>
    findStep(order, file.path) < 0
      ? [`${file.path}: has no place in the order of ${order.folder}`]
      : findImportsAgainst(file, order),
  );

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

type Graph = ReadonlyMap<string, readonly string[]>;

const findCircleFrom = (graph: Graph, start: string): readonly string[] | null => {
  const ways = new Map<string, readonly string[]>([[start, [start]]]);
  for (const [path, way] of ways)
    for (const next of graph.get(path) ?? []) {
      if (next === start) return [...way, start];
      if (!ways.has(next)) ways.set(next, [...way, next]);
    }
  return null;
};

const listCircles = (graph: Graph): readonly Mistake[] => {
  const known = new Set<string>();
  return [...graph.keys()].toSorted().flatMap((start) => {
    const circle = known.has(start) ? null : findCircleFrom(graph, start);
    for (const path of circle ?? []) known.add(path);
    return circle === null ? [] : [`a circle of imports: ${circle.join(" → ")}`];
  });
};

const listTargets = (file: SourceFile, isWanted: (one: Import) => boolean = () => true): readonly string[] => [
  ...new Set(
    listImports(file)
      .filter((one) => one.from.startsWith(".") && isWanted(one))
      .map(({ from }) => resolveImport(file, from)),
  ),
];

/** The files that are there when it runs: an import of types is none. */
export const listNeeded = (file: SourceFile): readonly string[] => listTargets(file, ({ isType }) => !isType);

/** Types count: files that import each other are one file in two. */
export const findCircles = (files: readonly SourceFile[]): readonly Mistake[] =>
  listCircles(new Map(files.map((file) => [file.path, listTargets(file)])));

const findSiblings = (path: string, target: string): readonly [string, string] | null => {
  const [own, other] = [path.split("/"), target.split("/")];
  const at = own.findIndex((part, index) => part !== other[index]);
  const areFolders = at < own.length - 1 && at < other.length - 1;
  return areFolders ? [own.slice(0, at + 1).join("/"), other.slice(0, at + 1).join("/")] : null;
};

/** Folders side by side whose files import one another, also by way of a third. */
export const findFolderCircles = (files: readonly SourceFile[]): readonly Mistake[] => {
  const graph = new Map<string, string[]>();
  for (const file of files)
    for (const target of listTargets(file)) {
      const siblings = findSiblings(file.path, target);
      if (siblings === null) continue;
      const [own, other] = siblings;
      graph.set(own, [...(graph.get(own) ?? []), other]);
    }
  return listCircles(graph);
};
