import { existsSync } from "node:fs";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok } from "../../../base/result.ts";
import { runCommand } from "../../../tools/run-command.ts";
import type { JobTerminals, TerminalListener, TerminalOptions } from "../../core/running/job-terminal.ts";
import type { Environment } from "../../core/store.ts";
import { selectNeeded } from "./session-environment.ts";

type Ending = Readonly<{ listener: TerminalListener; isClosed: () => boolean }>;

const TERMINFO_FOLDERS = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"];
const USUAL_KIND = "xterm-256color";
const KEPT_CHARACTERS = 400;
const DRAIN_MS = 500;
const HANG_UP_MS = 2_000;
const RUN_LIMITS = { timeoutMs: 5_000, maxOutputBytes: 4_096 };

const isKnown = (kind: string): boolean =>
  !kind.includes("/") && TERMINFO_FOLDERS.some((folder) => existsSync(`${folder}/${kind[0]}/${kind}`));

/** For a program that draws on a terminal of this kind, of which `screen` is one. */
export const chooseEnvironment = (kind: string): Environment => ({
  ...selectNeeded(process.env),
  TERM: isKnown(kind) ? kind : USUAL_KIND,
});

const createMemory = () => {
  const decoder = new TextDecoder();
  let text = "";
  return {
    keep: (bytes: Uint8Array): void => {
      text = (text + decoder.decode(bytes.subarray(-KEPT_CHARACTERS))).slice(-KEPT_CHARACTERS);
    },
    read: (): string => text,
  };
};

const createCounter = () => {
  let waiting = 0;
  return {
    add: (bytes: number): number => {
      waiting += bytes;
      return waiting;
    },
    clear: (): void => {
      waiting = 0;
    },
  };
};

const spawnInside = (argv: readonly string[], { size, kind }: TerminalOptions, { listener, isClosed }: Ending) => {
  const memory = createMemory();
  const input = createCounter();
  const { promise: hungUp, resolve: hangUp } = Promise.withResolvers<void>();
  const data = (_terminal: unknown, bytes: Uint8Array): void => {
    memory.keep(bytes);
    if (!isClosed()) listener.onOutput(bytes);
  };
  const terminal = { cols: size.columns, rows: size.rows, data, exit: () => hangUp(), drain: input.clear };
  const child = Bun.spawn([...argv], { env: chooseEnvironment(kind), terminal });
  void child.exited
    .then(() => Promise.race([hungUp, Bun.sleep(DRAIN_MS)]))
    .then(() => isClosed() || listener.onEnd(memory.read()));
  const write = (bytes: Uint8Array): number => {
    child.terminal?.write(bytes as Uint8Array<ArrayBuffer>);
    return input.add(bytes.byteLength);
  };
  return { child, write };
};

const endSoon = (child: Bun.Subprocess): void => {
  child.terminal?.close();
  const timer = setTimeout(() => child.kill("SIGKILL"), HANG_UP_MS);
  void child.exited.then(() => clearTimeout(timer));
};

const openTerminal: JobTerminals["open"] = (argv, options, listener) => {
  let isClosed = false;
  try {
    const { child, write } = spawnInside(argv, options, { listener, isClosed: () => isClosed });
    const isOver = (): boolean => isClosed || child.terminal?.closed !== false;
    return ok({
      write: (bytes) => (isOver() ? 0 : write(bytes)),
      resize: ({ columns, rows }) => isOver() || child.terminal?.resize(columns, rows),
      close: () => {
        isClosed = true;
        endSoon(child);
      },
    });
  } catch (error) {
    return err({ message: describeError(error) });
  }
};

const run: JobTerminals["run"] = async ([program, ...args]) => {
  if (program === undefined) return;
  await runCommand([program, ...args], { ...RUN_LIMITS, env: selectNeeded(process.env) });
};

/** What runs in a terminal ends with it, also when this process is killed: the kernel hangs up then. */
export const createJobTerminals = (): JobTerminals => ({ open: openTerminal, run });
