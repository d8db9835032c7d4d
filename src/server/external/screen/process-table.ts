import { readdirSync, readFileSync } from "node:fs";
import { readErrorCode } from "../../../base/error-code.ts";

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

export const readBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

const TICKS_PER_SECOND = 100;

/** On the clock of `startTicks`. */
export const readUptimeTicks = (): number =>
  Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * TICKS_PER_SECOND);

const JOB_ID = "NEXUS_JOB_ID=";

/**
 * `unsettled`: it is just becoming another program, and its environment can't be read until it has. `gone`: it ended before
 * it could say.
 */
export type Label = Readonly<{ kind: "job"; id: string } | { kind: "none" } | { kind: "unsettled" } | { kind: "gone" }>;

const KERNEL_THREAD = 0x200000;
const FLAGS_FIELD = 6;
const ENVIRONMENT_END_FIELD = 48;

const readEnvironment = (pid: number): string => readFileSync(`/proc/${pid}/environ`, "latin1");

const findJobId = (environment: string): Label => {
  const start = environment.indexOf(`\0${JOB_ID}`);
  if (start === -1) return { kind: "none" };
  const valueStart = start + 1 + JOB_ID.length;
  return { kind: "job", id: environment.slice(valueStart, environment.indexOf("\0", valueStart)) };
};

const explainSilence = (pid: number): Label => {
  const line = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  if (isDead(fields[0])) return { kind: "gone" };
  const isOfKernel = (Number(fields[FLAGS_FIELD]) & KERNEL_THREAD) !== 0;
  const hasNoneYet = !isOfKernel && fields[ENVIRONMENT_END_FIELD] === "0";
  return { kind: hasNoneYet || readEnvironment(pid) !== "" ? "unsettled" : "none" };
};

const isForbidden = (error: unknown): boolean => ["EACCES", "EPERM"].includes(readErrorCode(error));

/** The job that a process says it belongs to; none too if its environment may not be read. */
export const readLabel = (pid: number): Label => {
  try {
    const environment = readEnvironment(pid);
    return environment === "" ? explainSilence(pid) : findJobId(`\0${environment}\0`);
  } catch (error) {
    return { kind: isForbidden(error) ? "none" : "gone" };
  }
};
