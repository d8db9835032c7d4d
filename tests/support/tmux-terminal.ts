import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { waitUntil } from "./wait.ts";

/** A real terminal of 80 columns and 24 rows. `screen` is what it shows; `waitFor` waits until that holds a text.
 * `ask` gives what tmux knows of the terminal, as `#{cursor_flag}`. */
export type TmuxTerminal = Readonly<{
  type: (text: string) => void;
  press: (...keys: readonly string[]) => void;
  screen: () => string;
  waitFor: (text: string | RegExp) => Promise<string>;
  resize: (columns: number, rows: number) => void;
  ask: (format: string) => string;
  close: () => void;
}>;

const PROMPT = "ready> ";

const listSettings = (env: NodeJS.ProcessEnv): readonly string[] =>
  Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));

/** `program` is a shell, or whatever else is to run in it; it gets `env` and nothing more. */
export const openTmux = async (
  options: Readonly<{ env: NodeJS.ProcessEnv; cwd: string; program?: readonly string[] }>,
): Promise<TmuxTerminal> => {
  const socket = `nexus-test-${randomUUID()}`;
  const tmux = (...words: readonly string[]): string =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...words], { encoding: "utf8", timeout: 10_000 });
  const shell = ["bash", "--norc", "--noprofile"];
  const settings = listSettings({ TERM: "tmux-256color", LANG: "C.UTF-8", PS1: PROMPT, ...options.env });
  const program = ["env", "-i", ...settings, ...(options.program ?? shell)];
  tmux("-u", "new-session", "-d", "-x", "80", "-y", "24", "-c", options.cwd, ...program);
  const screen = (): string => tmux("capture-pane", "-p");
  const waitFor: TmuxTerminal["waitFor"] = async (text) => {
    let last = "";
    const isThere = (): boolean => {
      last = screen();
      return typeof text === "string" ? last.includes(text) : text.test(last);
    };
    await waitUntil(isThere, `${text} on the screen`).catch((error: unknown) => {
      throw new Error(`${error}\n${last}`);
    });
    return last;
  };
  const terminal: TmuxTerminal = {
    type: (text) => {
      tmux("send-keys", "-l", "--", text);
    },
    press: (...keys) => {
      tmux("send-keys", ...keys);
    },
    screen,
    waitFor,
    resize: (columns, rows) => {
      tmux("resize-window", "-x", String(columns), "-y", String(rows));
    },
    ask: (format) => tmux("display-message", "-p", format).trim(),
    close: () => {
      tmux("kill-server");
    },
  };
  if (options.program === undefined) await waitFor(PROMPT.trim());
  return terminal;
};
