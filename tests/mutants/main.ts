import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { describeError } from "../../src/base/describe-error.ts";
import { type Mutant, type MutantOptions, runMutants, type Summary } from "./run.ts";

const HELP = `npm run mutants -- [flags]

  --seed S     the breaks are drawn by it (default: 1)
  --count N    how many breaks (default: 100)
  --in AREA    only there: a folder or a file below src or src/server, such as
               server/core, cli/top or core/queue/wait.ts, or one line of it,
               core/queue/wait.ts:33; may be given several times
  --at-once N  breaks at the same time (default: one for each processor)
  --budget S   seconds that the tests of a break may take unbroken, once for
               those near it and once for whole programs (default: 20)
`;

const parseFlags = () =>
  parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "100" },
      in: { type: "string", multiple: true, default: [] },
      "at-once": { type: "string", default: String(availableParallelism()) },
      budget: { type: "string", default: "20" },
      help: { type: "boolean", short: "h" },
    },
  }).values;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const sayMeanwhile = (line: string): void => void process.stderr.write(`${line}\n`);

const readNumber = (name: string, text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} takes a number from 1, not "${text}"`);
  return Number(text);
};

const readOptions = (): MutantOptions | null => {
  const values = parseFlags();
  if (values.help === true) return null;
  return {
    root: process.cwd(),
    seed: readNumber("seed", values.seed),
    count: readNumber("count", values.count),
    areas: values.in,
    atOnce: readNumber("at-once", values["at-once"]),
    budgetMs: readNumber("budget", values.budget) * 1000,
  };
};

const count = (mutants: readonly Mutant[], kind: Mutant["verdict"]["kind"]): number =>
  mutants.filter(({ verdict }) => verdict.kind === kind).length;

const report = ({ mutants, refused, useless }: Summary): void => {
  for (const test of useless) say(`Left out, as it fails without a break: ${test}`);
  for (const { place, kind, diff, verdict } of mutants)
    if (verdict.kind === "survived") say(`\n${place} ${kind}: survived ${verdict.passed} test files\n${diff}`);
  say(
    `\n${count(mutants, "killed")} killed, ${count(mutants, "survived")} survived, ` +
      `${count(mutants, "timed out")} timed out; ${refused} more the types refuse`,
  );
};

const main = async (): Promise<number> => {
  try {
    const options = readOptions();
    if (options === null) say(HELP);
    else report(await runMutants(options, sayMeanwhile));
    return 0;
  } catch (error) {
    sayMeanwhile(`mutants: ${describeError(error)}`);
    return 1;
  }
};

process.exitCode = await main();
