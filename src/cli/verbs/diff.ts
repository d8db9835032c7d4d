import { escapeText } from "../../base/escape-text.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { type ComparedCode, compareCode } from "../code/compare-code.ts";
import { connect } from "../connection/connect.ts";
import { askJob } from "../jobs/ask-job.ts";
import { compareJobs, type Difference } from "../jobs/compare-jobs.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { bold, green, hint, print, printJson, red, write } from "../terminal/output.ts";
import { makeSafe } from "../terminal/terminal-safety.ts";

const listLines = (sign: string, text: string | null): readonly string[] =>
  text === null ? [] : text.split("\n").map((line) => `${sign} ${escapeText(line)}`);

const showDifference = ({ name, a, b }: Difference): void => {
  print(bold(name));
  for (const line of listLines("-", a)) print(red(line));
  for (const line of listLines("+", b)) print(green(line));
};

const showCode = ({ patch, gone }: ComparedCode): void => {
  if (gone !== null) hint(`The code of job ${gone} is no longer kept, so no file can be compared.`);
  else if (patch !== "") write(`${isTerminal("output") ? makeSafe(patch) : patch}\n`);
};

const show = (differences: readonly Difference[], code: ComparedCode): void => {
  for (const difference of differences) showDifference(difference);
  showCode(code);
  if (differences.length === 0 && code.patch === "") print("Command, code, variables and flags are the same.");
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [first, second] = words;
  if (!first || !second || words.length > 2) return failUsage("nx diff takes two job ids", "see nx history");
  const api = await connect(flags);
  if (!api.ok) return api;
  const a = await askJob(api.value, first);
  if (!a.ok) return a;
  const b = await askJob(api.value, second);
  if (!b.ok) return b;
  const code = await compareCode(api.value, a.value, b.value);
  if (!code.ok) return code;
  const differences = compareJobs(a.value, b.value);
  if (readSwitch(flags, "json")) printJson({ a: first, b: second, differences, patch: code.value.patch });
  else show(differences, code.value);
  return DONE;
};

export const verb: Verb = {
  name: "diff",
  usage: "nx diff A B",
  summary: "what two jobs differ in: command, code, variables, flags",
  flags: [{ long: "json", help: "as JSON" }],
  examples: ["nx diff k3f9ab m2x4cd"],
  run,
};
