import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import { suggestNearest } from "../base/suggest.ts";
import { type Answer, type Ask, type Trouble, WRONG_ARGUMENTS } from "./ask.ts";
import type { Planner } from "./plan.ts";

export type Facts = Readonly<Record<string, unknown>>;

/** `target` is what the user calls the server. `signal` says that nobody waits for the answer any more. `report` tells how far it is.
 * `used` has what became of what was confirmed
 * already. `stay` asks the same server, but starts none where it has gone. */
export type ToolContext = Readonly<{
  ask: Ask;
  stay: Ask;
  target: string;
  planner: Planner;
  signal: AbortSignal;
  report: (done: number, total: number) => void;
  used: Map<string, Answer<Facts>>;
}>;

type Named = Readonly<{ name: string; title: string; description: string; kind: "reads" | "adds" | "ends" }>;

export type Tool = Named & Readonly<{ schema: Facts; run: (context: ToolContext, given: unknown) => Answer<Facts> }>;

const describeKeys = (keys: readonly string[], known: readonly string[]): string => {
  const [key = ""] = keys;
  const nearest = suggestNearest(key, known);
  return `"${key.slice(0, 64)}" is none of its arguments; ${nearest === null ? `it takes ${known.join(", ") || "none"}` : `did you mean ${nearest}?`}`;
};

const describeIssue = (issue: z.core.$ZodIssue | undefined, known: readonly string[]): string => {
  if (issue === undefined) return "the arguments are wrong";
  if (issue.code === "unrecognized_keys") return describeKeys(issue.keys, known);
  return `${issue.path.length === 0 ? "arguments" : issue.path.join(".")}: ${issue.message}`;
};

const parse = <Input extends z.ZodObject>(input: Input, given: unknown): Result<z.output<Input>, Trouble> => {
  const parsed = input.safeParse(given ?? {});
  if (parsed.success) return ok(parsed.data);
  return err({ code: WRONG_ARGUMENTS, message: describeIssue(parsed.error.issues[0], Object.keys(input.shape)) });
};

/** A tool whose arguments are checked, typed and described by `input`. */
export const defineTool = <Input extends z.ZodObject>(
  { input, ...named }: Named & Readonly<{ input: Input }>,
  run: (context: ToolContext, values: z.output<Input>) => Answer<Facts>,
): Tool => ({
  ...named,
  schema: z.toJSONSchema(input, { io: "input", target: "draft-7" }),
  run: async (context, given) => {
    const values = parse(input, given);
    return values.ok ? run(context, values.value) : values;
  },
});
