import { spawnSync } from "node:child_process";
import { writeSync } from "node:fs";
import { readErrorCode } from "../../base/error-code.ts";

export type WindowSize = Readonly<{ columns: number; rows: number }>;

export type RawTerminal = Readonly<{
  readSize: () => WindowSize;
  write: (bytes: string | Uint8Array) => void;
  restore: () => void;
}>;

export type TerminalEvents = Readonly<{ onKeys: (keys: Uint8Array) => void; onResize: () => void }>;

const OUTPUT = 1;
const BUSY_MS = 5;
const FIRST_SIGNAL_CODE = 128;
const FATAL = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const MOUSE_OFF = ["1000", "1002", "1003", "1006", "2004"].map((mode) => `\u001b[?${mode}l`).join("");

/** Undoes what a program may have left switched on: colours, a hidden cursor, keypad and mouse modes, margins. */
export const USUAL_MODES = `\u001b[0m\u001b(B\u001b[?25h\u001b[?1l\u001b>${MOUSE_OFF}\u001b7\u001b[r\u001b8`;

/** To a line of its own, whatever is shown: for when a program could not clean up after itself. */
export const BELOW_EVERYTHING = `\u001b[?1049l${USUAL_MODES}\u001b[999;1H\r\n`;

const isBusy = (error: unknown): boolean => readErrorCode(error) === "EAGAIN";

const pauseThread = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
};

const writeSome = (bytes: Uint8Array): number => {
  try {
    return writeSync(OUTPUT, bytes);
  } catch (error) {
    if (!isBusy(error)) throw error;
    pauseThread();
    return 0;
  }
};

const writeAll = (data: string | Uint8Array): void => {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  for (let done = 0; done < bytes.length; ) done += writeSome(bytes.subarray(done));
};

/** Of the terminal that standard output is. */
export const readSize = (): WindowSize => {
  const [columns, rows] = process.stdout.getWindowSize();
  return { columns: columns || 80, rows: rows || 24 };
};

const keepLineFeeds = (): void => {
  spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
};

const endOnSignals = (restore: () => void): (() => void) => {
  const listeners = Object.entries(FATAL).map(([name, number]) => {
    const listener = (): void => {
      writeAll(BELOW_EVERYTHING);
      restore();
      process.exit(FIRST_SIGNAL_CODE + number);
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
};

/**
 * Hands every key over as it is typed, until `restore`, which also happens when the program ends in any other way. What
 * is written reaches the terminal as it is: raw mode alone would still make two characters of a line feed. Writing waits
 * for a slow terminal, so that the sender is held back and nothing piles up here.
 */
export const takeTerminal = ({ onKeys, onResize }: TerminalEvents): RawTerminal => {
  const { stdin, stdout } = process;
  let isTaken = true;
  const restore = (): void => {
    if (!isTaken) return;
    isTaken = false;
    forget();
    process.off("exit", restore);
    stdout.off("resize", onResize);
    stdin.off("data", onKeys).pause();
    stdin.setRawMode(false);
    stdin.unref();
  };
  const forget = endOnSignals(restore);
  process.on("exit", restore);
  stdout.on("resize", onResize);
  stdin.setRawMode(true);
  keepLineFeeds();
  stdin.on("data", onKeys).resume();
  return { readSize, write: writeAll, restore };
};
