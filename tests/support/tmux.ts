import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { waitUntil } from "./wait.ts";
import type { World } from "./world.ts";

/** A window of a terminal, 80 × 24, with a shell in it that prompts with `$ `. `ask` gives what tmux knows, as `#{alternate_on}`. */
export type Window = Readonly<{
  type: (text: string) => void;
  press: (...keys: readonly string[]) => void;
  resize: (columns: number, rows: number) => void;
  read: () => string;
  readAll: () => string;
  ask: (format: string) => string;
  see: (what: string | RegExp) => Promise<void>;
}>;

export type Tmux = Readonly<{ openWindow: () => Promise<Window>; dispose: () => void }>;

const SHELL = ["bash", "--norc", "--noprofile", "-i"];

const createWindow = (tmux: (...words: readonly string[]) => string, name: string): Window => {
  const read = (): string => tmux("capture-pane", "-p", "-t", name);
  return {
    type: (text) => void tmux("send-keys", "-t", name, "-l", text),
    press: (...keys) => void tmux("send-keys", "-t", name, ...keys),
    resize: (columns, rows) => void tmux("resize-window", "-t", name, "-x", String(columns), "-y", String(rows)),
    read,
    readAll: () => tmux("capture-pane", "-p", "-J", "-S", "-", "-t", name),
    ask: (format) => tmux("display-message", "-p", "-t", name, format).trim(),
    see: async (what) => {
      try {
        await waitUntil(() => read().search(what) !== -1, String(what));
      } catch (error) {
        throw new Error(`${String(error)} in:\n${read()}`);
      }
    },
  };
};

/** The nx that is tested is called `nx` in its windows. */
export const createTmux = (world: World, nx: string): Tmux => {
  const socket = `nexus-${randomUUID()}`;
  const env = { ...world.env, TERM: "xterm-256color", LANG: "C.UTF-8", PS1: "$ ", TMUX_TMPDIR: world.folder };
  const tmux = (...words: readonly string[]): string =>
    spawnSync("tmux", ["-L", socket, "-f", "/dev/null", ...words], { env, encoding: "utf8" }).stdout;
  let windows = 0;
  const openWindow = async (): Promise<Window> => {
    windows += 1;
    const name = `w${windows}`;
    tmux("new-session", "-d", "-s", name, "-x", "80", "-y", "24", "-c", world.home, ...SHELL);
    const window = createWindow(tmux, name);
    await window.see(/^\$$/m);
    window.type(`nx() { ${nx} "$@"; }; clear`);
    window.press("Enter");
    return window;
  };
  return { openWindow, dispose: () => void tmux("kill-server") };
};
