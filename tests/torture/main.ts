import { parseArgs } from "node:util";
import { type RunOptions, readRunOptions } from "./history.ts";
import { runTorture } from "./run.ts";

const HELP = `npm run torture -- [flags]

  --kills N      end after N deaths of the server (default: 200)
  --minutes M    or after M minutes (default: 10)
  --seed S       what happens is drawn from it (default: drawn from the clock)
  --clients N    clients at the same time (default: 4)
  --replay FILE  the plan that a kept history was made with
`;

const DEFAULTS = { kills: "200", minutes: "10", clients: "4" } as const;
const GPUS = 4;
const KILLS_BETWEEN_DRAINS = 60;
const LARGEST_SEED = 1_000_000;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: DEFAULTS.kills },
    minutes: { type: "string", default: DEFAULTS.minutes },
    clients: { type: "string", default: DEFAULTS.clients },
    seed: { type: "string" },
    replay: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const chooseOptions = (): RunOptions =>
  values.replay === undefined
    ? {
        seed: Number(values.seed ?? Date.now() % LARGEST_SEED),
        kills: Number(values.kills),
        leastJobs: 0,
        minutes: Number(values.minutes),
        clients: Number(values.clients),
        gpus: GPUS,
        killsBetweenDrains: KILLS_BETWEEN_DRAINS,
      }
    : readRunOptions(values.replay);

const torture = async (): Promise<number> => {
  const options = chooseOptions();
  say(`seed ${options.seed}: ${options.kills} kills, ${options.minutes} minutes at most`);
  const { findings, kills, jobs, steps, historyPath, folder } = await runTorture(options, say);
  say(`${kills} kills, ${jobs} jobs, ${findings.length} findings; deaths at a step: ${JSON.stringify(steps)}`);
  if (findings.length === 0) return 0;
  say(`The folder of the run is kept, with its history: ${folder}`);
  say(`Again: npm run torture -- --replay ${historyPath}`);
  return 1;
};

if (values.help === true) say(HELP);
else process.exitCode = await torture();
