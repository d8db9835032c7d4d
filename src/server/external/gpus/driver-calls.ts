import { err, type Problem, type Result } from "../../../base/result.ts";
import { type CommandOptions, type CommandOutput, runCommand } from "../../../tools/run-command.ts";
import { createTurnstile } from "../../../tools/turnstile.ts";
import type { Clock } from "../../core/clock.ts";

type Argv = readonly [string, ...string[]];
type Run = (argv: Argv, options: CommandOptions) => Promise<Result<CommandOutput, Problem>>;

/** Runs a tool of the driver. */
export type Ask = (argv: Argv) => Promise<Result<CommandOutput, Problem>>;

export type DriverCalls = Readonly<{ ask: Ask; stop: () => void }>;

type Parts = Readonly<{ clock: Clock; timeoutS: number; run?: Run | undefined }>;

const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_PAUSE_S = 300;
const SLOW_S = 2;
const HANGS =
  "hangs in the driver: it was killed and has not gone, so none is started beside it (often only a reboot helps)";

const createTrouble = (clock: Clock) => {
  let hangs = 0;
  let notBefore = -Infinity;
  let left: string | null = null;

  const note = (tool: string, gone: Promise<void>): void => {
    notBefore = clock() + Math.min(MAX_PAUSE_S, 2 ** hangs);
    hangs += 1;
    left = tool;
    void gone.then(() => {
      left = null;
    });
  };

  const describe = (): string | null => {
    if (left !== null) return `${left} ${HANGS}`;
    const waitS = notBefore - clock();
    return waitS > 0 ? `the last call hung; the next is in ${Math.ceil(waitS)} s` : null;
  };

  const forget = (): void => {
    hangs = 0;
  };

  return { note, describe, forget };
};

/**
 * One call at a time; only a driver that is slow is asked several things side by side, as it stays loaded meanwhile. After
 * a call that hung, the next waits: 1 s, 2 s, 4 s …, and in any case until the killed one has gone.
 */
export const createDriverCalls = ({ clock, timeoutS, run = runCommand }: Parts): DriverCalls => {
  const ending = new AbortController();
  const trouble = createTrouble(clock);
  const takeTurn = createTurnstile();
  const limits = { timeoutMs: timeoutS * 1000, maxOutputBytes: MAX_OUTPUT_BYTES, signal: ending.signal };
  let tookS = 0;

  const call: Ask = async (argv) => {
    const refusal = trouble.describe();
    if (refusal !== null) return err({ message: refusal });
    const startedAt = clock();
    const output = await run(argv, { ...limits, onKill: (gone) => trouble.note(argv[0], gone) });
    tookS = clock() - startedAt;
    if (output.ok) trouble.forget();
    return output;
  };

  return { ask: (argv) => (tookS > SLOW_S ? call(argv) : takeTurn(() => call(argv))), stop: () => ending.abort() };
};
