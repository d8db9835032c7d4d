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

const isOfTests = (path: string): boolean => path.startsWith("tests/") || isTest(path);

const WAIT = "tests/support/wait.ts";
const TORTURE = "tests/torture/";
const SLEEPS = new Set(["Bun.sleep", "Bun.sleepSync"]);
const PROMISED_TIME = /^\s*\(?\w*\)?\s*=>\s*(void\s+)?setTimeout\(/;

/** A time that a test waits for in the hope that something has happened by then; a loop that polls is `waitUntil`. */
export const findFixedSleeps: StyleRule = (file) => {
  if (!isOfTests(file.path) || file.path === WAIT || file.path.startsWith(TORTURE)) return [];
  const spots: Spot[] = [];
  const add = (start: number): number => spots.push({ start, what: "a fixed sleep: wait for what is to come" });
  const read = ({ start, end }: Readonly<{ start: number; end: number }>): string => file.text.slice(start, end);
  visitSource(file, {
    CallExpression: ({ callee, arguments: [given], start }) => {
      const isFixed = read(callee) === "letPass" && given?.type === "Literal";
      if (isFixed || SLEEPS.has(read(callee))) add(start);
    },
    NewExpression: ({ callee, arguments: [work], start }) => {
      if (nameOf(callee) === "Promise" && work !== undefined && PROMISED_TIME.test(read(work))) add(start);
    },
    ImportDeclaration: ({ source, start }) => {
      if (source.value === "node:timers/promises") add(start);
    },
  });
  return describeSpots(file, spots);
};

/** What can't be repeated: chance in a test comes from fast-check, which says its seed. */
export const findUnseededChance: StyleRule = (file) => {
  if (!isOfTests(file.path)) return [];
  const spots: Spot[] = [];
  visitSource(file, {
    MemberExpression: ({ start, end }) => {
      if (file.text.slice(start, end) === "Math.random") spots.push({ start, what: "chance that can't be repeated" });
    },
  });
  return describeSpots(file, spots);
};

type Range = Readonly<{ start: number; end: number }>;

const findInnermost = (ranges: readonly Range[], at: number): Range | undefined =>
  ranges
    .filter(({ start, end }) => start <= at && at < end)
    .reduce<Range | undefined>(
      (inner, range) => (inner === undefined || range.start > inner.start ? range : inner),
      undefined,
    );

const isTestCall = (text: string): boolean => /^(test|it)\b/.test(text);

/** Tests that can end before their last line, and pass with what they have not looked at. */
export const findHalvedTests: StyleRule = (file) => {
  if (!isTest(file.path)) return [];
  const [functions, bodies, returns]: [Range[], Set<number>, number[]] = [[], new Set(), []];
  visitSource(file, {
    FunctionExpression: ({ start, end }) => functions.push({ start, end }),
    FunctionDeclaration: ({ start, end }) => functions.push({ start, end }),
    ArrowFunctionExpression: ({ start, end }) => functions.push({ start, end }),
    ReturnStatement: ({ argument, start }) => argument === null && returns.push(start),
    CallExpression: ({ callee, arguments: given }) => {
      if (isTestCall(file.text.slice(callee.start, callee.end))) for (const { start } of given) bodies.add(start);
    },
  });
  const spots = returns.filter((at) => bodies.has(findInnermost(functions, at)?.start ?? -1));
  return describeSpots(
    file,
    spots.map((start) => ({ start, what: "a test that ends early: what the machine lacks is a skipIf(!can…)" })),
  );
};

/** Abilities of the machine of which the run would not say at its end that they were lacking. */
export const findSilentAbilities: StyleRule = (file) => {
  if (!isOfTests(file.path)) return [];
  const spots: Spot[] = [];
  visitSource(file, {
    VariableDeclarator: ({ id, init, start, end }) => {
      const isAbility =
        id.type === "Identifier" && /^can[A-Z]/.test(id.name) && init?.type !== "ArrowFunctionExpression";
      const isTold = init?.type === "CallExpression" && nameOf(init.callee) === "checkAbility";
      if (isAbility && !isTold) spots.push({ start, what: `${file.text.slice(start, end)}: ask by checkAbility` });
    },
  });
  return describeSpots(file, spots);
};

export const findMarkers: StyleRule = (file) =>
  [...file.text.matchAll(MARKER)].map(({ index, 0: marker }) => describeMistake(file, index, `${marker} left over`));
