import { readdirSync, readFileSync } from "node:fs";
import { readErrorCode } from "../../../../base/error-code.ts";
import type { BootTime } from "../../../core/clock.ts";

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

export const listPids = (): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The latest pid that was given; less than before once they have begun anew at the lowest. */
export const readLastPid = (): number => Number(readFileSync("/proc/loadavg", "utf8").trim().split(" ").at(-1));

export const readBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

const TICKS_PER_SECOND = 100;

/** On the clock of `startTicks`. */
export const readUptimeTicks = (): number =>
  Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * TICKS_PER_SECOND);

export const readBootTime = (): BootTime => ({ bootId: readBootId(), s: readUptimeTicks() / TICKS_PER_SECOND });

const CAUGHT = /^SigCgt:\t([0-9a-f]+)$/m;
const USR1 = 10n;

/** Whether SIGUSR1 would not end it: the process has a handler of its own. */
export const catchesUsr1 = (pid: number): boolean => {
  try {
    const mask = CAUGHT.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> (USR1 - 1n)) & 1n) === 1n;
  } catch {
    return false;
  }
};

const JOB_ID = "NEXUS_JOB_ID=";

/**
 * `unsettled`: it is just becoming another program, and its environment can't be read until it has. `gone`: it ended before
 * it could say.
 */
export type Label = Readonly<{ kind: "job"; id: string } | { kind: "none" } | { kind: "unsettled" } | { kind: "gone" }>;

const KERNEL_THREAD = 0x200000;
const FLAGS_FIELD = 6;
const CODE_END_FIELD = 24;
const STACK_START_FIELD = 25;
const ONE_READ_BYTES = 262_144;

const readEnvironment = (pid: number): string => readFileSync(`/proc/${pid}/environ`, "latin1");

const findJobId = (environment: string): string | null => {
  const start = environment.indexOf(`\0${JOB_ID}`);
  if (start === -1) return null;
  const valueStart = start + 1 + JOB_ID.length;
  return environment.slice(valueStart, environment.indexOf("\0", valueStart));
};

type Program = Readonly<{ isOfKernel: boolean; isLoaded: boolean; stackStart: string | undefined }>;

const readProgram = (pid: number): Program | null => {
  const line = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  if (isDead(fields[0])) return null;
  return {
    isOfKernel: (Number(fields[FLAGS_FIELD]) & KERNEL_THREAD) !== 0,
    isLoaded: fields[CODE_END_FIELD] !== "0",
    stackStart: fields[STACK_START_FIELD],
  };
};

const labelFrom = (environment: string): Label | null => {
  const id = findJobId(`\0${environment}\0`);
  return id === null ? null : { kind: "job", id };
};

const explainSilence = (pid: number): Label => {
  const before = readProgram(pid);
  const label = labelFrom(readEnvironment(pid));
  const after = readProgram(pid);
  if (before === null || after === null) return { kind: "gone" };
  if (label !== null || before.isOfKernel) return label ?? { kind: "none" };
  const isSame = before.isLoaded && after.isLoaded && before.stackStart === after.stackStart;
  return { kind: isSame ? "none" : "unsettled" };
};

const isForbidden = (error: unknown): boolean => ["EACCES", "EPERM"].includes(readErrorCode(error));

/** The job that a process says it belongs to; none too if its environment may not be read. */
export const readLabel = (pid: number): Label => {
  try {
    const environment = readEnvironment(pid);
    const isWhole = environment !== "" && environment.length < ONE_READ_BYTES;
    return labelFrom(environment) ?? (isWhole ? { kind: "none" } : explainSilence(pid));
  } catch (error) {
    return { kind: isForbidden(error) ? "none" : "gone" };
  }
};
