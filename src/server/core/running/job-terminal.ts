import type { Problem, Result } from "../../../base/result.ts";

export type TerminalSize = Readonly<{ columns: number; rows: number }>;

/** `write` returns how many bytes wait to be read. `close` hangs up on what runs there; `onEnd` is not called then. */
export type JobTerminal = Readonly<{
  write: (bytes: Uint8Array) => number;
  resize: (size: TerminalSize) => void;
  close: () => void;
}>;

export type TerminalListener = Readonly<{
  onOutput: (bytes: Uint8Array) => void;
  onEnd: (lastOutput: string) => void;
}>;

/** `kind` is a name of the terminfo database; one that this machine doesn't know is replaced. */
export type TerminalOptions = Readonly<{ size: TerminalSize; kind: string }>;

/** `open` runs a command in a new terminal, `run` one without any, whose outcome does not matter. */
export type JobTerminals = Readonly<{
  open: (argv: readonly string[], options: TerminalOptions, listener: TerminalListener) => Result<JobTerminal, Problem>;
  run: (argv: readonly string[]) => Promise<void>;
}>;

/** The far end of a WebSocket. `countWaiting` is in bytes that were sent and not yet taken. */
export type SocketPeer = Readonly<{
  send: (bytes: Uint8Array) => void;
  countWaiting: () => number;
  close: (code: number, reason: string) => void;
}>;

/** What is done with a WebSocket; `onDrain` when what waited was taken, `onClose` once at its end. */
export type SocketHandler = Readonly<{
  onOpen: (peer: SocketPeer) => void;
  onMessage: (message: string | Uint8Array) => void;
  onDrain: () => void;
  onClose: () => void;
}>;
