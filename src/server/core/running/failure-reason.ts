import { RETRY_CAUSES, type RetryCause } from "../../../wire/job-fields/retries.ts";
import { clipEnd } from "../notices/plain-text.ts";
import { explainNotExecutable, explainNotFound } from "./shell-refusal.ts";

type Sign = Readonly<{ sign: RegExp; cause: RetryCause }>;
type Pattern = Sign & Readonly<{ reason: (match: RegExpExecArray) => string }>;

const MAX_REASON = 300;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const BROKEN_PIPE = 141;
const ABOUT_PIPES =
  "A program wrote to a pipe that nobody read any more; where that is right, as in … | head, put set +o pipefail before it";
const ABOUT_NOT_EXECUTABLE = "A shell ends so where a file may not be executed, or is no program";
const ABOUT_NOT_FOUND = "A shell ends so where it finds no such command";
const MAX_LINE = 2000;
const TRACEBACK = "Traceback (most recent call last):";
const EXCEPTION = /^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Iteration|Timeout|Abort)?(?::\s|$)/;

const XID = /NVRM: Xid \([^)]{0,50}\): (\d{1,5})/;

const LOST = /^Lost: /;

const PATTERNS: readonly Pattern[] = [
  {
    sign: /CUDA out of memory|CUDA error: out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|RESOURCE_EXHAUSTED: Out of memory/,
    cause: "oom",
    reason: () => "The GPU ran out of memory",
  },
  {
    sign: /uncorrectable ECC error|CUDA_ERROR_ECC_UNCORRECTABLE|cudaErrorECCUncorrectable/i,
    cause: "gpu",
    reason: () => "The GPU has an uncorrectable memory (ECC) error",
  },
  { sign: XID, cause: "gpu", reason: ([, xid]) => `The GPU's driver reported error Xid ${xid}` },
  { sign: /GPU is lost|GPU has fallen off the bus/i, cause: "machine", reason: () => "The GPU fell off the bus" },
  {
    sign: /collective operation timeout|NCCL (?:operation|watchdog|communicator).{0,100}time[d ]?-?out|ncclTimeout/i,
    cause: "nccl",
    reason: () => "A collective operation of NCCL timed out",
  },
  { sign: /No space left on device|\bENOSPC\b/, cause: "machine", reason: () => "The disk is full" },
  { sign: /Disk quota exceeded|\bEDQUOT\b/, cause: "machine", reason: () => "The disk quota is used up" },
  {
    sign: /Out of memory: Kill(?:ed)? process|Memory cgroup out of memory|\boom[-_]kill(?:er)?\b/i,
    cause: "oom",
    reason: () => "The kernel killed a process for want of memory",
  },
  {
    sign: /\(pid.{0,200}\) is killed by signal: Killed|: line \d{1,9}: {1,9}\d{1,9} Killed\b|^Killed$/,
    cause: "oom",
    reason: () => "A process was killed (SIGKILL), as the kernel does when memory runs out",
  },
];

const OTHER_SIGNS: readonly Sign[] = [
  { sign: /\bNCCL (?:error|WARN)\b|\bnccl(?:System|Internal|Remote|UnhandledCuda)Error\b/, cause: "nccl" },
];

const findException = (lines: readonly string[]): string | null => {
  const start = lines.lastIndexOf(TRACEBACK);
  if (start === -1) return null;
  return lines.slice(start + 1).find((line) => EXCEPTION.test(line)) ?? null;
};

const findSign = (lines: readonly string[]): string | null => {
  for (const { sign, reason } of PATTERNS) {
    const matches = lines.map((line) => sign.exec(line)).filter((match) => match !== null);
    const last = matches.at(-1);
    if (last !== undefined) return reason(last);
  }
  return null;
};

/** The same of a job's exit, whose code may say more than its log. */
export const explainExit = (exitCode: number, lines: readonly string[]): string | null => {
  switch (exitCode) {
    case NOT_EXECUTABLE:
      return explainNotExecutable(lines) ?? findFailureReason(lines) ?? ABOUT_NOT_EXECUTABLE;
    case NOT_FOUND:
      return explainNotFound(lines) ?? findFailureReason(lines) ?? ABOUT_NOT_FOUND;
    case BROKEN_PIPE:
      return ABOUT_PIPES;
    default:
      return findFailureReason(lines);
  }
};

/** Where bash stood in the jobrc when it failed; beyond its end, the last line that says anything. */
export const describeJobrcFailure = (jobrc: string, line: number): string => {
  const lines = jobrc.trimEnd().split("\n");
  const number = Math.min(line, lines.length);
  return `jobrc failed at line ${number}: ${clipEnd((lines[number - 1] ?? "").trim(), MAX_REASON)}`;
};

/** The number of the last Xid error that these lines of a log tell of. */
export const findXid = (lines: readonly string[]): number | null => {
  const numbers = lines.flatMap((line) => XID.exec(line.slice(0, MAX_LINE))?.slice(1) ?? []);
  return numbers.length === 0 ? null : Number(numbers.at(-1));
};

/** Why a job failed that left an exit code, by the plain last lines of its log: the first of the causes that fits. */
export const findExitCause = (lines: readonly string[]): RetryCause => {
  const short = lines.map((line) => line.slice(0, MAX_LINE));
  const signs = [...PATTERNS, ...OTHER_SIGNS].filter(({ sign }) => short.some((line) => sign.test(line)));
  return RETRY_CAUSES.find((cause) => signs.some((one) => one.cause === cause)) ?? "exit";
};

/** The same of one that left none; null where another attempt would fail as well. */
export const findLossCause = (reason: string): RetryCause | null =>
  LOST.test(reason) || findExitCause([reason]) === "machine" ? "machine" : null;

/** Why a job failed, in a sentence, as far as the plain last lines of its log tell. */
export const findFailureReason = (lines: readonly string[]): string | null => {
  const short = lines.map((line) => line.slice(0, MAX_LINE));
  const reason = findSign(short) ?? findException(short);
  return reason === null ? null : clipEnd(reason.trim(), MAX_REASON);
};
