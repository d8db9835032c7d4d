import { decodeKeys, flushKeys, type Key } from "./keys.ts";
import { diffScreen } from "./line.ts";

/** The terminal while it is ours: `close` gives it back as it was, however often it is called. */
export type Terminal = Readonly<{
  draw: (lines: readonly string[]) => void;
  forget: () => void;
  suspend: () => void;
  close: () => void;
}>;

type Listener = Readonly<{
  onKey: (key: Key) => void;
  onResize: () => void;
  onSignal: (code: number) => void;
  onThrow: (error: unknown) => void;
}>;

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[?2004h";
const LEAVE = "\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[0m\u001b[?1049l";
const KEY_REST_MS = 50;
const RESUME_MS = 100;
const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

type Release = () => void;

const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

export const readTerminalSize = (): Readonly<{ columns: number; rows: number }> => ({
  columns: process.stdout.columns || USUAL_COLUMNS,
  rows: process.stdout.rows || USUAL_ROWS,
});

const listenForKeys = (onKey: Listener["onKey"]): Release => {
  let held = "";
  let timer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    const { keys, rest } = flushKeys(held);
    held = rest;
    for (const key of keys) onKey(key);
  };
  const take = (text: string): void => {
    clearTimeout(timer);
    const { keys, rest } = decodeKeys(held + text);
    held = rest;
    for (const key of keys) onKey(key);
    if (held !== "") timer = setTimeout(settle, KEY_REST_MS);
  };
  process.stdin.setEncoding("utf8").on("data", take).resume();
  return () => {
    clearTimeout(timer);
    process.stdin.off("data", take).pause();
  };
};

const listenForSignals = (listener: Listener, resume: () => void): Release => {
  const handlers = SIGNALS.map(([name, code]) => [name, () => listener.onSignal(code)] as const);
  for (const [name, handle] of handlers) process.on(name, handle);
  process.on("SIGCONT", resume);
  process.on("uncaughtException", listener.onThrow);
  process.stdout.on("resize", listener.onResize);
  return () => {
    for (const [name, handle] of handlers) process.off(name, handle);
    process.off("SIGCONT", resume);
    process.off("uncaughtException", listener.onThrow);
    process.stdout.off("resize", listener.onResize);
  };
};

type Painter = Readonly<{ draw: Terminal["draw"]; forget: () => void }>;

const createPainter = (isOurs: () => boolean): Painter => {
  let shown: readonly string[] | null = null;
  let waiting: readonly string[] | null = null;
  let isBusy = false;
  const finish = (): void => {
    isBusy = false;
    if (waiting !== null) draw(waiting);
  };
  const draw = (lines: readonly string[]): void => {
    if (!isOurs()) return;
    waiting = isBusy ? lines : null;
    const change = isBusy ? "" : diffScreen(shown, lines);
    if (change === "") return;
    shown = lines;
    isBusy = true;
    process.stdout.write(change, finish);
  };
  const forget = (): void => {
    shown = null;
  };
  return { draw, forget };
};

type Switch = Readonly<{ isOurs: () => boolean; enter: () => void; leave: () => void }>;

const createSwitch = (): Switch => {
  let isOurs = false;
  return {
    isOurs: () => isOurs,
    enter: () => {
      process.stdin.setRawMode(false).setRawMode(true);
      process.stdout.write(ENTER);
      isOurs = true;
    },
    leave: () => {
      if (!isOurs) return;
      isOurs = false;
      process.stdout.write(LEAVE);
      process.stdin.setRawMode(false);
    },
  };
};

const createResume =
  (shared: Readonly<{ enter: () => void; forget: () => void; onResize: () => void }>) => (): void => {
    shared.enter();
    shared.forget();
    shared.onResize();
  };

/** Takes the other screen of the terminal, so that what stood there before comes back at the end. */
export const openTerminal = (listener: Listener): Terminal => {
  const { isOurs, enter, leave } = createSwitch();
  const { draw, forget } = createPainter(isOurs);
  const resume = createResume({ enter, forget, onResize: listener.onResize });
  let timer: NodeJS.Timeout | undefined;
  const suspend = (): void => {
    leave();
    process.kill(process.pid, "SIGTSTP");
    timer = setTimeout(resume, RESUME_MS);
  };
  enter();
  process.on("exit", leave);
  const releases = [listenForKeys(listener.onKey), listenForSignals(listener, resume), leave];
  const close = (): void => {
    clearTimeout(timer);
    for (const release of releases) release();
    process.off("exit", leave);
  };
  return { draw, forget, suspend, close };
};
