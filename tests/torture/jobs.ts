import type { Random } from "./random.ts";

/** What a job's command does. `held` and `stubborn` never end by themselves, `limited` does not within its time limit, of which it is warned where `warnS` says when; `tried` fails once, and is tried again. */
export type Behaviour =
  | Readonly<{ kind: "exit"; code: number; sleepMs: number }>
  | Readonly<{ kind: "signal"; signal: number }>
  | Readonly<{ kind: "children"; code: number; sleepMs: number }>
  | Readonly<{ kind: "daemon"; code: number }>
  | Readonly<{ kind: "artifact"; code: number; content: string }>
  | Readonly<{ kind: "tried"; code: number }>
  | Readonly<{ kind: "limited"; limitS: number; warnS?: number }>
  | Readonly<{ kind: "held" }>
  | Readonly<{ kind: "trap"; code: number }>
  | Readonly<{ kind: "stubborn" }>;

/** `mark` names one submission for ever, whatever id the server gives it; `jobId` is null when the server chooses. `after` and `afterAny` are the ids of those that it waits for; one without `vramMib` has its GPUs alone. */
export type JobPlan = Readonly<{
  mark: string;
  jobId: string | null;
  behaviour: Behaviour;
  numGpus: number;
  gpuIdxs: readonly number[];
  priority: number;
  runNow: boolean;
  vramMib?: number;
  isHeld?: boolean;
  after?: readonly string[];
  afterAny?: readonly string[];
}>;

const FIRST_EDITED_CODE = 40;
const FIRST_CODE = 75;

/** The code that a job ends with when nobody kills it; null if it would run for ever. */
export const codeOf = ({ behaviour }: Pick<JobPlan, "behaviour">, variant: number): number | null => {
  if (behaviour.kind === "signal") return 128 + behaviour.signal;
  if (!("code" in behaviour) || behaviour.kind === "trap") return null;
  return variant === 0 ? behaviour.code : FIRST_EDITED_CODE + variant;
};

const HELPERS = `witness() { printf '%s\\n' "$*" >> "$WITNESS"; }
begin() {
  mark=$1
  local label=$mark
  ((NEXUS_ATTEMPT == 1)) || label=$mark.$NEXUS_ATTEMPT
  mkdir -p made && echo "$label" > made/in-repo
  echo "$label" > "$NEXUS_OUTPUT_DIR/own"
  echo "$label" > own
  witness "start $1 $2 $NEXUS_JOB_ID gpus=$CUDA_VISIBLE_DEVICES $EPOCHREALTIME $NEXUS_ATTEMPT"
  [[ -z "\${!NS_@}" ]] || witness "leak $1 \${!NS_@}"
  local gpu lock
  for gpu in \${CUDA_VISIBLE_DEVICES//,/ }; do
    exec {lock}>> "$WITNESS.gpu$gpu"
    flock \${SHARES:+-s} -n "$lock" || witness "clash $1 $gpu"
  done
}
finish() {
  witness "end $mark $1 $EPOCHREALTIME"
  exit "$1"
}
die() {
  witness "end $mark $((128 + $1)) $EPOCHREALTIME"
  kill "-$1" $$
}
`;

/** What every command sources: it makes files, writes down when the job began and ended, and holds a lock on each of its GPUs. */
export const renderHelpers = (): string => HELPERS;

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

const renderBody = (behaviour: Behaviour, code: number | null): string => {
  switch (behaviour.kind) {
    case "exit":
      return `${behaviour.sleepMs > 0 ? `sleep ${seconds(behaviour.sleepMs)}; ` : ""}finish ${code}`;
    case "signal":
      return `die ${behaviour.signal}`;
    case "children":
      return `sleep ${seconds(behaviour.sleepMs)} & (sleep ${seconds(behaviour.sleepMs)}; true) & wait; finish ${code}`;
    case "daemon":
      return `setsid sleep 600 < /dev/null > /dev/null 2>&1 & finish ${code}`;
    case "artifact":
      return `[[ $(< payload) == ${behaviour.content} ]] || finish 99; finish ${code}`;
    case "tried":
      return `((NEXUS_ATTEMPT > 1)) || finish ${FIRST_CODE}; finish ${code}`;
    case "limited":
      return `trap 'witness "warned $mark"' USR1; while :; do sleep 0.1; done`;
    case "held":
      return "(sleep 600) & sleep 600";
    case "trap":
      return "while :; do sleep 0.1; done";
    case "stubborn":
      return "trap '' TERM; while :; do sleep 0.2; done";
  }
};

const renderTrap = ({ behaviour, mark }: JobPlan): string =>
  behaviour.kind === "trap" ? `mark=${mark}; trap 'finish ${behaviour.code}' TERM; ` : "";

/** The variant is raised by each edit of the command. */
export const commandOf = (job: JobPlan, variant: number): string =>
  `. "$TORTURE"; ${renderTrap(job)}begin ${job.mark} ${variant}; ${renderBody(job.behaviour, codeOf(job, variant))}`;

const BEGIN = /^\. "\$TORTURE"; .*?begin (\S+) (\d+); /;

export const readCommand = (command: string): Readonly<{ mark: string; variant: number }> => {
  const [, mark, variant] = BEGIN.exec(command) ?? [];
  return { mark: mark ?? command, variant: Number(variant ?? Number.NaN) };
};

const ENDING_KINDS = ["exit", "exit", "exit", "exit", "signal", "children", "daemon", "tried", "limited"] as const;
const ENDLESS_KINDS = ["held", "held", "held", "trap", "trap", "stubborn"] as const;

const drawCode = (random: Random): number => (random.chance(0.5) ? 0 : random.integer(1, 39));

/** One that ends by itself. */
export const drawBehaviour = (random: Random): Behaviour => {
  const sleepMs = random.chance(0.4) ? 0 : random.integer(5, 400);
  const kind = random.pick(ENDING_KINDS);
  if (kind === "limited") return { kind, limitS: random.integer(1, 2), ...(random.chance(0.5) ? { warnS: 1 } : {}) };
  if (kind === "tried") return { kind, code: drawCode(random) };
  if (kind === "signal") return { kind, signal: random.pick([1, 2, 6, 9, 11, 15]) };
  return { kind, code: drawCode(random), sleepMs };
};

/** One that must be killed; `mayResist` allows those that TERM does not end. */
export const drawEndless = (random: Random, mayResist: boolean): Behaviour => {
  const kind = random.pick(ENDLESS_KINDS);
  if (kind === "trap") return { kind, code: drawCode(random) };
  return { kind: kind === "stubborn" && !mayResist ? "held" : kind };
};

/** MiB of the mock GPU. */
export const memoryOf = (gpu: number): number => (gpu % 2 === 0 ? 8192 : 16_384);

/** On a machine with `gpus` GPUs. */
export const drawNeeds = (random: Random, gpus: number): Pick<JobPlan, "numGpus" | "gpuIdxs" | "vramMib"> => {
  const kind = random.pick(["cpu", "cpu", "cpu", "one", "one", "two", "named"]);
  if (kind === "cpu") return { numGpus: 0, gpuIdxs: [] };
  const booked = random.chance(0.5) ? { vramMib: random.integer(1, 7) * 1024 } : {};
  if (kind === "named") return { numGpus: 1, gpuIdxs: [random.integer(0, gpus - 1)], ...booked };
  return { numGpus: kind === "one" ? 1 : 2, gpuIdxs: [], ...booked };
};
