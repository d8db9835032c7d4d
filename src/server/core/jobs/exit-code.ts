const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  10: "SIGUSR1",
  11: "SIGSEGV",
  12: "SIGUSR2",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  31: "SIGSYS",
};

const SIGNAL_BASE = 128;
const LAST_SIGNAL = 64;

const describeSignal = (signal: number): string => {
  const name = SIGNAL_NAMES[signal];
  return name === undefined ? `signal ${signal}` : `signal ${signal} (${name})`;
};

const describeCode = (exitCode: number): string => {
  const signal = exitCode - SIGNAL_BASE;
  return signal > 0 && signal <= LAST_SIGNAL
    ? `Job was terminated by ${describeSignal(signal)}`
    : `Job failed with exit code ${exitCode}`;
};

/**
 * Null for 0; `hint` becomes a second sentence. A shell reports a death by signal S as 128 + S (POSIX.1-2017, Shell
 * Command Language, 2.8.2).
 */
export const describeExit = (exitCode: number, hint: string | null = null): string | null => {
  if (exitCode === 0) return null;
  return hint === null ? describeCode(exitCode) : `${describeCode(exitCode)}. ${hint}`;
};
