import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "../../src/server/core/telemetry/steps.ts";
import { SCHEMA_VERSION } from "../../src/server/external/sqlite/migrate.ts";
import type { Random } from "./random.ts";

/** How one server is to end: at a step's nth pass, at a moment after its start, or politely. */
export type Death =
  | Readonly<{ kind: "at a step"; step: Step; passes: number }>
  | Readonly<{ kind: "at a moment"; afterMs: number }>
  | Readonly<{ kind: "politely"; afterMs: number }>;

export type ServerProcess = Readonly<{
  child: ChildProcess;
  exited: Promise<void>;
  isAlive: () => boolean;
  signal: (name: "SIGKILL" | "SIGTERM") => void;
}>;

const ROOT = join(import.meta.dirname, "..", "..");
const PROGRAM = join(ROOT, "src", "server", "main.ts");
const DYING_PROGRAM = join(ROOT, "tests", "torture", "server.ts");

const STEPS: readonly [Step, ...Step[]] = [
  "change made",
  "change committed",
  "jobs probed",
  "start written",
  "files prepared",
  "screen spawned",
  "launch claimed",
  "launch written",
  "end seen",
  "end written",
  "file moved",
  "files moved",
  "files accounted for",
  "repo removed",
  "halt written",
  "warning written",
  "kill decided",
  "processes terminated",
];

/** Steps that come only when a job has resisted TERM for its whole grace. */
export const LATE_STEPS: readonly Step[] = ["processes killed", "screens ended"];

const MOST_PASSES: Readonly<Partial<Record<Step, number>>> = {
  "change made": 40,
  "change committed": 40,
  "jobs probed": 1,
  "kill decided": 3,
  "processes terminated": 3,
};
const LONGEST_LIFE_MS = 1500;
const SHORT_LIFE_MS = 600;

export const drawDeath = (random: Random): Death => {
  const kind = random.pick(["step", "step", "step", "moment", "moment", "moment", "moment", "term"] as const);
  if (kind === "step") {
    const step = random.pick(STEPS);
    return { kind: "at a step", step, passes: random.integer(1, MOST_PASSES[step] ?? 6) };
  }
  const afterMs = random.integer(0, random.chance(0.5) ? SHORT_LIFE_MS : LONGEST_LIFE_MS);
  return { kind: kind === "term" ? "politely" : "at a moment", afterMs };
};

/** Steps that come only when a job runs up to its time limit. */
export const LIMIT_STEPS: readonly Step[] = ["warning written", "halt written"];

const dieAt = (step: Step, passes: number): Death => ({ kind: "at a step", step, passes });

/** The deaths that only a new folder's server can die: before each migration is on disk, with that before it just written; in a long run right after each, too. */
export const listFirstDeaths = (isLong: boolean): readonly Death[] =>
  isLong
    ? Array.from({ length: SCHEMA_VERSION }, () => [dieAt("migration made", 1), dieAt("migration committed", 1)]).flat()
    : [
        ...Array.from({ length: SCHEMA_VERSION }, (_, index) => dieAt("migration made", index === 0 ? 1 : 2)),
        dieAt("migration committed", 1),
      ];

export const describeDeath = (death: Death): string =>
  death.kind === "at a step" ? `at "${death.step}", pass ${death.passes}` : `${death.kind}, after ${death.afterMs} ms`;

/** Starts the real program, or for a death at a step the same one with a listener that dies there. */
export const spawnServer = (env: NodeJS.ProcessEnv, logPath: string, death: Death | null): ServerProcess => {
  const isDying = death?.kind === "at a step";
  const log = openSync(logPath, "a");
  const child = spawn(process.execPath, [isDying ? DYING_PROGRAM : PROGRAM], {
    env: { ...env, ...(isDying ? { NS_TORTURE_DIE_AT: `${death.step}:${death.passes}` } : {}) },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  return { child, exited, isAlive, signal: (name) => void (isAlive() && child.kill(name)) };
};
