import { escapeText } from "../../../base/escape-text.ts";
import { quoteWord } from "../../../base/quote-word.ts";
import { ok, type Result } from "../../../base/result.ts";
import type { Failure, FlagValues, Invocation } from "../../../command-line/command.ts";
import { readSwitch } from "../../../command-line/flag-values.ts";
import { failUsage } from "../../../command-line/usage.ts";
import { GPU_FLAGS } from "../../project/apply-defaults.ts";
import { hint } from "../../terminal/output.ts";
import { findScript, type Script } from "./find-script.ts";

const convertWords = ({ words, lines }: Script): readonly string[] => [
  ...(lines.array === null ? [] : [`SLURM_ARRAY_TASK_ID=${lines.array}`]),
  ...words,
];

const convertFlags = (given: FlagValues, { lines }: Script): FlagValues => {
  const flags = { ...lines.flags, ...given };
  if (GPU_FLAGS.some((name) => flags[name] !== undefined)) return flags;
  return { ...flags, ...(lines.gpus === 0 ? { cpu: true } : { gpus: String(lines.gpus) }) };
};

const writeFlags = ({ flags }: Script["lines"]): string =>
  Object.entries(flags)
    .map(([name, value]) => (value === true ? ` --${name}` : ` --${name} ${quoteWord(String(value))}`))
    .join("");

const describeLine = (script: Script): string => {
  const gpus = script.lines.gpus === 0 ? "-c" : `-g ${script.lines.gpus}`;
  const aside = script.lines.aside.length === 0 ? "" : `; without counterpart: ${script.lines.aside.join(" ")}`;
  return `nx add ${gpus}${writeFlags(script.lines)} ${convertWords(script).map(quoteWord).join(" ")}${aside}`;
};

const sayWhatTheyWouldBe = (script: Script): void => {
  const start = `${script.path} has #SBATCH lines, which --sbatch`;
  const isImpossible = script.lines.impossible.length > 0;
  const end = isImpossible
    ? `can't take: ${script.lines.impossible.join(" ")}`
    : `takes; they would be: ${describeLine(script)}`;
  hint(escapeText(`${start} ${end}`));
};

const take = (invocation: Invocation, script: Script): Result<Invocation, Failure> => {
  const { path, lines } = script;
  const impossible = lines.impossible.join(" ");
  if (lines.impossible.length > 0)
    return failUsage(
      escapeText(
        `${path} asks for what can't be had here: ${impossible}; without --sbatch your flags say what it gets`,
      ),
    );
  if (lines.aside.length > 0) hint(escapeText(`Not taken from ${path}: ${lines.aside.join(" ")}`));
  const words = convertWords(script);
  return ok({ ...invocation, flags: convertFlags(invocation.flags, script), words });
};

/** With `--sbatch` the script's `#SBATCH` lines are flags and a list; without it is said what they would be. */
export const takeSbatch = (invocation: Invocation): Result<Invocation, Failure> => {
  const { flags, words } = invocation;
  const script = findScript(words);
  if (!readSwitch(flags, "sbatch")) {
    if (script !== null) sayWhatTheyWouldBe(script);
    return ok(invocation);
  }
  if (readSwitch(flags, "literal")) return failUsage("give --sbatch or --literal, not both");
  if (script === null)
    return failUsage("--sbatch takes a script with #SBATCH lines", "for example: nx add --sbatch job.sh");
  return take(invocation, script);
};
