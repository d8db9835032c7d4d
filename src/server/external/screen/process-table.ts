import { readdirSync, readFileSync } from "node:fs";

/** A live process (zombies are none). `startTicks` tells it from a later one with the same pid. */
export type Process = Readonly<{ pid: number; name: string; parentPid: number; sessionId: number; startTicks: number }>;

export type ProcessTable = ReadonlyMap<number, Process>;

const isDead = (state: string | undefined): boolean => state === undefined || state === "Z" || state === "X";

/** Takes a line of `/proc/pid/stat`; the name in it may hold spaces, newlines and parentheses. */
export const parseStat = (line: string): Process | null => {
  const nameStart = line.indexOf("(");
  const nameEnd = line.lastIndexOf(")");
  if (nameStart === -1 || nameEnd < nameStart) return null;
  const fields = line.slice(nameEnd + 2).split(" ");
  if (isDead(fields[0])) return null;
  return {
    pid: Number.parseInt(line, 10),
    name: line.slice(nameStart + 1, nameEnd),
    parentPid: Number(fields[1]),
    sessionId: Number(fields[3]),
    startTicks: Number(fields[19]),
  };
};

export const readProcess = (pid: number): Process | null => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return null;
  }
};

export const readProcessTable = (): ProcessTable => {
  const table = new Map<number, Process>();
  for (const name of readdirSync("/proc")) {
    const process = /^\d+$/.test(name) ? readProcess(Number(name)) : null;
    if (process !== null) table.set(process.pid, process);
  }
  return table;
};

export const readBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

const TICKS_PER_SECOND = 100;

/** On the clock of `startTicks`. */
export const readUptimeTicks = (): number =>
  Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * TICKS_PER_SECOND);

const JOB_ID = "NEXUS_JOB_ID=";

/** The job that a process says it belongs to; null if it says none, or if its environment may not be read. */
export const readJobIdOf = (pid: number): string | null => {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
    const start = environment.indexOf(`\0${JOB_ID}`);
    if (start === -1) return null;
    const valueStart = start + 1 + JOB_ID.length;
    return environment.slice(valueStart, environment.indexOf("\0", valueStart));
  } catch {
    return null;
  }
};
