import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BUN,
  formatMs,
  formatRatio,
  median,
  NX,
  printFigure,
  startServer,
  submitBatch,
  timeInTurn,
} from "./harness.ts";

const ROUNDS = 60;
const QUEUED = 10_000;
const COMPILED_NX = join(NX, "..", ".compiled", "nx");

const EMPTY_PROGRAM = "export {};\n";
const FETCHING_PROGRAM = `const answer = await fetch(\`http://127.0.0.1:\${process.env.NS_PORT}/v1/jobs?limit=26\`);
console.log((await answer.json()).length);
`;

const writeProgram = ({ HOME = "" }: NodeJS.ProcessEnv, name: string, text: string): readonly string[] => {
  const path = join(HOME, name);
  writeFileSync(path, text);
  return [BUN, path];
};

type Contender = Readonly<{ name: string; argv: readonly string[] }>;

const contend = (words: readonly string[]): readonly Contender[] => [
  { name: `nx ${words.join(" ")}`, argv: [COMPILED_NX, ...words] },
  { name: `nx ${words.join(" ")}, of a clone`, argv: [NX, ...words] },
];

const listOthers = (env: NodeJS.ProcessEnv): readonly Contender[] => {
  const tsp = Bun.which("tsp");
  const argv = writeProgram(env, "fetching.ts", FETCHING_PROGRAM);
  const fetching = { name: "a Bun program that asks the server once", argv };
  return tsp === null ? [fetching] : [fetching, { name: "tsp (task-spooler), its empty list", argv: [tsp] }];
};

const compare = (contenders: readonly Contender[], env: NodeJS.ProcessEnv): void => {
  const argvs = [writeProgram(env, "empty.ts", EMPTY_PROGRAM), ...contenders.map(({ argv }) => argv)];
  const runs = timeInTurn(argvs, { env }, ROUNDS);
  const [reference = Number.NaN, ...times] = runs.map((some) => median(some.map(({ ms }) => ms)));
  for (const [index, time] of times.entries())
    printFigure(contenders[index]?.name ?? "", formatMs(time), formatRatio(time, reference, "empty Bun program"));
};

export const benchClientStart = async (): Promise<void> => {
  const server = await startServer({ NS_MAX_CPU_JOBS: "0" });
  try {
    execFileSync(NX, ["version"], { env: server.env });
    compare([...contend(["version"]), ...contend(["queue"]), ...listOthers(server.env)], server.env);
    const [job] = await submitBatch(server.url, QUEUED, { num_gpus: 0 });
    process.stdout.write("with 10 000 jobs:\n");
    const verbs = [["queue"], ["history"], ["get", job?.id ?? ""], ["status"]];
    compare(verbs.flatMap(contend), server.env);
  } finally {
    await server.stop();
  }
};
