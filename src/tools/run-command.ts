import { spawn } from "node:child_process";
import { describeError } from "../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../base/result.ts";

/** `onKill` is called for a program that is killed, with what resolves once it has gone: never, for one that hangs in the kernel. */
export type CommandOptions = Readonly<{
  timeoutMs: number;
  maxOutputBytes: number;
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  signal?: AbortSignal;
  onKill?: (gone: Promise<void>) => void;
}>;

/** `exitCode` is 128 + S when the program died by signal S. `stdout` and `stderr` are decoded with replacement. */
export type CommandOutput = Readonly<{ stdout: string; stderr: string; exitCode: number }>;

type Collected = { chunks: Buffer[]; bytes: number };
type Child = ReturnType<typeof spawn>;

const collect = (stream: NodeJS.ReadableStream | null, maxBytes: number, onOverflow: () => void): Collected => {
  const collected: Collected = { chunks: [], bytes: 0 };
  stream?.on("error", () => undefined);
  stream?.on("data", (chunk: Buffer) => {
    collected.bytes += chunk.byteLength;
    if (collected.bytes > maxBytes) onOverflow();
    else collected.chunks.push(chunk);
  });
  return collected;
};

const decode = (collected: Collected): string => Buffer.concat(collected.chunks).toString("utf8");

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11 };

const toExitCode = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 15);

const awaitEnd = (child: Child): Promise<void> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((resolve) => child.once("exit", () => resolve()))
    : Promise.resolve();

const abandon = (child: Child, onKill: CommandOptions["onKill"]): void => {
  if (child.pid !== undefined) onKill?.(awaitEnd(child));
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.kill("SIGKILL");
  child.unref();
};

const followChild = (
  child: Child,
  program: string,
  options: CommandOptions,
  resolve: (outcome: Result<CommandOutput, Problem>) => void,
): void => {
  const giveUp = (message: string): void => {
    clearTimeout(timer);
    resolve(err({ message: `${program} ${message}` }));
    abandon(child, options.onKill);
  };
  const overflow = (): void => giveUp(`printed more than ${options.maxOutputBytes} bytes`);
  const timer = setTimeout(() => giveUp(`did not answer within ${options.timeoutMs} ms`), options.timeoutMs);
  const stdout = collect(child.stdout, options.maxOutputBytes, overflow);
  const stderr = collect(child.stderr, options.maxOutputBytes, overflow);
  child.on("error", (error) => giveUp(`could not be run: ${error.message}`));
  child.on("close", (code, signal) => {
    clearTimeout(timer);
    resolve(ok({ stdout: decode(stdout), stderr: decode(stderr), exitCode: toExitCode(code, signal) }));
  });
};

/** Runs a program without a shell and without input; fails if it can't be started, prints too much or takes too long (it is killed then). */
export const runCommand = (
  argv: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<Result<CommandOutput, Problem>> =>
  new Promise((resolve) => {
    const [program, ...args] = argv;
    try {
      const env = { ...(options.env ?? process.env) };
      const child = spawn(program, args, {
        stdio: ["ignore", "pipe", "pipe"],
        env,
        killSignal: "SIGKILL",
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      followChild(child, program, options, resolve);
    } catch (error) {
      resolve(err({ message: `${program} could not be run: ${describeError(error)}` }));
    }
  });
