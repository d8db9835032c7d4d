import type { BinaryExpression, Expression, LogicalExpression, Span, Statement } from "oxc-parser";
import { digestText } from "../../src/tools/digest.ts";
import { type SourceFile, visitSource } from "../house/source-file.ts";

/** What stands from `start` to `end` of the file is replaced by `text`. */
export type Break = Readonly<{ path: string; kind: string; start: number; end: number; text: string }>;

type Change = (kind: string, place: Span, text: string) => void;

const LARGEST_COUNT = 100;
const FACTOR = 10;

const BOUNDARIES: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const OPPOSITES: Readonly<Record<string, string>> = {
  "===": "!==",
  "!==": "===",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};

const MOVABLE = ["ExpressionStatement", "VariableDeclaration", "IfStatement", "ForOfStatement", "TryStatement"];
const LEAVING = ["ReturnStatement", "ThrowStatement", "ContinueStatement", "BreakStatement"];
const IN_BRACKETS = [
  "ArrowFunctionExpression",
  "AssignmentExpression",
  "ConditionalExpression",
  "LogicalExpression",
  "ObjectExpression",
];
const ACTING = ["CallExpression", "AssignmentExpression", "UpdateExpression", "ChainExpression"];

const isActing = (node: Expression): boolean => {
  if (node.type === "AwaitExpression") return isActing(node.argument);
  if (node.type === "UnaryExpression" && node.operator === "void") return isActing(node.argument);
  return ACTING.includes(node.type);
};

const isLeaving = (statement: Statement | null): boolean =>
  statement?.type === "BlockStatement"
    ? statement.body.length === 1 && isLeaving(statement.body[0] ?? null)
    : LEAVING.includes(statement?.type ?? "");

const isMovable = (first: Statement, second: Statement): boolean =>
  MOVABLE.includes(first.type) &&
  MOVABLE.includes(second.type) &&
  ([first.type, second.type].includes("ExpressionStatement") ||
    ![first.type, second.type].includes("VariableDeclaration"));

const moveNumber = (value: number): readonly number[] => {
  if (!Number.isInteger(value) || value > LARGEST_COUNT) return [value * FACTOR];
  return value === 0 ? [1] : [value + 1, value - 1];
};

/** All small breaks of a file, in the order in which it is read. */
export const listBreaks = (file: SourceFile): readonly Break[] => {
  const found: Break[] = [];
  const passedOver = new Set<number>();
  const copy = ({ start, end }: Span): string => file.text.slice(start, end);
  const change: Change = (kind, { start, end }, text) => void found.push({ path: file.path, kind, start, end, text });

  const replaceOperator = (kind: string, node: BinaryExpression, operator: string | undefined): void => {
    const start = file.text.indexOf(node.operator, node.left.end);
    if (operator !== undefined) change(kind, { start, end: start + node.operator.length }, operator);
  };

  const negate = ({ test }: Readonly<{ test: Expression }>): void => {
    if (test.type === "UnaryExpression" && test.operator === "!") change("negated", test, copy(test.argument));
    else if (!(test.type === "BinaryExpression" && test.operator in OPPOSITES))
      change("negated", test, `!(${copy(test)})`);
  };

  const keepSide = (node: LogicalExpression, side: Expression): void =>
    change(
      node.operator === "??" ? "default" : "side dropped",
      node,
      IN_BRACKETS.includes(side.type) ? `(${copy(side)})` : copy(side),
    );

  const swap = (statements: readonly Statement[]): void => {
    for (const [index, first] of statements.entries()) {
      const second = statements[index + 1];
      if (second === undefined || !isMovable(first, second)) continue;
      const between = copy({ start: first.end, end: second.start });
      change("order", { start: first.start, end: second.end }, `${copy(second)}${between}${copy(first)}`);
    }
  };

  const dropMark = (node: Readonly<{ optional: boolean }> & Span, before: Span, mark: string): void => {
    const start = file.text.indexOf("?.", before.end);
    if (node.optional) change("optional chaining", { start, end: start + 2 }, mark);
  };

  visitSource(file, {
    IfStatement: (node) => {
      negate(node);
      if (node.alternate === null && isLeaving(node.consequent)) change("early return dropped", node, ";");
    },
    ConditionalExpression: negate,
    WhileStatement: negate,
    LogicalExpression: (node) => {
      keepSide(node, node.left);
      keepSide(node, node.right);
    },
    BinaryExpression: (node) => {
      replaceOperator("boundary", node, BOUNDARIES[node.operator]);
      replaceOperator("comparison", node, OPPOSITES[node.operator]);
    },
    TSLiteralType: ({ literal }) =>
      void passedOver.add(literal.type === "UnaryExpression" ? literal.argument.start : literal.start),
    Literal: (node) => {
      if (passedOver.has(node.start)) return;
      if (typeof node.value === "boolean") change("boolean", node, String(!node.value));
      if (typeof node.value === "number")
        for (const value of moveNumber(node.value)) change("number", node, String(value));
    },
    BlockStatement: ({ body }) => swap(body),
    SwitchCase: ({ consequent }) => swap(consequent),
    ExpressionStatement: (node) => {
      if (!isActing(node.expression)) return;
      change("call dropped", node, ";");
      passedOver.add(node.start);
    },
    ArrowFunctionExpression: ({ body }) => {
      if (body.type === "UnaryExpression" && isActing(body)) change("call dropped", body, "undefined");
    },
    AwaitExpression: (node) => change("await dropped", node, copy(node.argument)),
    ChainExpression: (node) => {
      if (!passedOver.has(node.start)) change("optional chaining", node, "undefined");
    },
    MemberExpression: (node) => dropMark(node, node.object, node.computed ? "" : "."),
    CallExpression: (node) => dropMark(node, node.callee, ""),
    AssignmentPattern: (node) => change("default", node, copy(node.left)),
  });
  return found;
};

export const applyBreak = ({ start, end, text }: Break, source: string): string =>
  `${source.slice(0, start)}${text}${source.slice(end)}`;

/** The same order for the same seed and the same sources, whatever stands in other files. */
export const shuffleBreaks = (breaks: readonly Break[], seed: number): readonly Break[] =>
  breaks
    .map((one) => ({ one, rank: digestText(`${seed} ${one.path} ${one.start} ${one.end} ${one.text}`) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ one }) => one);

const widenToLines = (source: string, { start, end }: Span): Span => {
  const next = source.indexOf("\n", end);
  return { start: source.lastIndexOf("\n", start - 1) + 1, end: next < 0 ? source.length : next };
};

const mark = (sign: string, lines: string): string => lines.replaceAll(/^/gm, `${sign} `);

/** The lines before and after, as a diff shows them. */
export const describeBreak = (one: Break, source: string): string => {
  const lines = widenToLines(source, one);
  const after = `${source.slice(lines.start, one.start)}${one.text}${source.slice(one.end, lines.end)}`;
  return `${mark("-", source.slice(lines.start, lines.end))}\n${mark("+", after)}`;
};

export const locateBreak = ({ path, start }: Break, source: string): string =>
  `${path}:${source.slice(0, start).split("\n").length}`;
