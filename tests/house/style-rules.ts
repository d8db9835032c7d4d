import type { Comment, Declaration, Expression, VariableDeclarator } from "oxc-parser";
import { describeMistake, isTest, type Mistake, type SourceFile, visitSource } from "./source-file.ts";

export type StyleRule = (file: SourceFile) => readonly Mistake[];

type Spot = Readonly<{ start: number; what: string }>;

const DOCUMENTED = new Set([
  "FunctionDeclaration",
  "VariableDeclaration",
  "TSTypeAliasDeclaration",
  "TSInterfaceDeclaration",
]);
const IMPURE_GLOBALS = new Set([
  ...["process", "performance", "crypto", "fetch", "console", "navigator"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask"],
]);
const IMPURE_MEMBERS = new Set(["Date.now", "Math.random"]);
const TEST_FUNCTIONS = new Set(["test", "it", "describe"]);
const UNRUN_TESTS = new Set(["skip", "only", "todo", "skipIf", "todoIf", "if", "failing"]);
const MARKER = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`, "g");

const describeSpots = (file: SourceFile, spots: readonly Spot[]): readonly Mistake[] =>
  spots.map(({ start, what }) => describeMistake(file, start, what));

const listDocumentedStarts = (file: SourceFile): ReadonlySet<number> =>
  new Set(
    file.parsed.program.body
      .filter((node) => node.type === "ExportNamedDeclaration" && DOCUMENTED.has(node.declaration?.type ?? ""))
      .map((node) => node.start),
  );

const isTsDocOfExport = ({ text }: SourceFile, starts: ReadonlySet<number>, comment: Comment): boolean => {
  const next = comment.end + (/\S/.exec(text.slice(comment.end))?.index ?? 0);
  return comment.type === "Block" && comment.value.startsWith("*") && starts.has(next);
};

/** Every comment but a TSDoc block right above an exported function, constant or type. */
export const findComments: StyleRule = (file) => {
  const starts = listDocumentedStarts(file);
  return file.parsed.comments
    .filter((comment) => !isTsDocOfExport(file, starts, comment))
    .map(({ start }) => describeMistake(file, start, "a comment: a name or a smaller function says it better"));
};

export const findClasses: StyleRule = (file) => {
  const spots: Spot[] = [];
  visitSource(file, {
    ClassDeclaration: ({ start }) => spots.push({ start, what: "a class" }),
    ClassExpression: ({ start }) => spots.push({ start, what: "a class" }),
    ThisExpression: ({ start }) => spots.push({ start, what: "this" }),
    TSEnumDeclaration: ({ start }) => spots.push({ start, what: "an enum: a union of literals does" }),
  });
  return describeSpots(file, spots);
};

const isUntypedFunction = (init: Expression | null): boolean =>
  (init?.type === "ArrowFunctionExpression" || init?.type === "FunctionExpression") && !init.returnType;

const isUntypedVariable = ({ id, init }: VariableDeclarator): boolean => !id.typeAnnotation && isUntypedFunction(init);

const isUntyped = (declaration: Declaration): boolean => {
  if (declaration.type === "FunctionDeclaration") return !declaration.returnType;
  return declaration.type === "VariableDeclaration" && declaration.declarations.some(isUntypedVariable);
};

export const findUntypedExports: StyleRule = (file) => {
  const spots: Spot[] = [];
  visitSource(file, {
    ExportNamedDeclaration: ({ declaration, start }) => {
      if (declaration && isUntyped(declaration)) spots.push({ start, what: "an export without its return type" });
    },
    ExportDefaultDeclaration: ({ start }) => spots.push({ start, what: "a default export: it has no name" }),
  });
  return describeSpots(file, spots);
};

/** `as unknown as` takes every check away. */
export const findDoubleCasts: StyleRule = (file) => {
  const spots: Spot[] = [];
  visitSource(file, {
    TSAsExpression: ({ expression, start }) => {
      if (expression.type === "TSAsExpression") spots.push({ start, what: "a cast of a cast" });
    },
    TSTypeAssertion: ({ start }) => spots.push({ start, what: "a cast in angle brackets" }),
  });
  return describeSpots(file, spots);
};

const nameOf = (node: Expression): string | null => (node.type === "Identifier" ? node.name : null);

/** A clock, randomness or I/O that the pure core reaches for by itself. */
export const findEffects: StyleRule = (file) => {
  const spots: Spot[] = [];
  const add = (start: number, what: string): number => spots.push({ start, what: `${what} has no place in the core` });
  visitSource(file, {
    MemberExpression: ({ object, start, end }) => {
      const text = file.text.slice(start, end);
      if (IMPURE_GLOBALS.has(nameOf(object) ?? "") || IMPURE_MEMBERS.has(text)) add(start, text);
    },
    CallExpression: ({ callee, start }) => {
      const name = nameOf(callee) ?? "";
      if (IMPURE_GLOBALS.has(name)) add(start, name);
    },
    NewExpression: ({ callee, arguments: given, start }) => {
      if (nameOf(callee) === "Date" && given.length === 0) add(start, "new Date()");
    },
  });
  return describeSpots(file, spots);
};

const MACHINE_ABILITY = /^!can[A-Z]\w*$/;

/** Tests that do not always run, unless that depends on what the machine lets one do, as `skipIf(!canMount)`. */
export const findUnrunTests: StyleRule = (file) => {
  if (!isTest(file.path)) return [];
  const spots: Spot[] = [];
  const allowed = new Set<number>();
  visitSource(file, {
    CallExpression: ({ callee, arguments: [condition] }) => {
      const text = condition === undefined ? "" : file.text.slice(condition.start, condition.end);
      if (MACHINE_ABILITY.test(text)) allowed.add(callee.start);
    },
    MemberExpression: ({ object, property, start }) => {
      if (allowed.has(start)) return;
      const isOfTest = object.type === "Identifier" && TEST_FUNCTIONS.has(object.name);
      if (!isOfTest || property.type !== "Identifier" || !UNRUN_TESTS.has(property.name)) return;
      spots.push({ start, what: `${object.name}.${property.name}: a test runs, or is not there` });
    },
  });
  return describeSpots(file, spots);
};

export const findMarkers: StyleRule = (file) =>
  [...file.text.matchAll(MARKER)].map(({ index, 0: marker }) => describeMistake(file, index, `${marker} left over`));
