import { ok, type Result } from "../../base/result.ts";
import type { Failure, Flag, FlagValues } from "../../command-line/command.ts";
import { readText, readWhole } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { Role } from "../core/access/access.ts";
import type { AccessToken } from "../core/access/access-token.ts";
import { type AgentLimits, USUAL_LIMITS } from "../core/jobs/agent-limits.ts";

const MOST = { gpus: 1024, queued: 10_000, hours: 100_000 };

export const LIMIT_FLAGS: readonly Flag[] = [
  { long: "gpus", value: "N", help: `agent: GPUs at once (default: ${USUAL_LIMITS.gpus})` },
  { long: "queued", value: "N", help: `agent: jobs in the queue (default: ${USUAL_LIMITS.queued})` },
  { long: "gpu-hours", value: "N", help: `agent: GPU hours in 24 hours (default: ${USUAL_LIMITS.gpuHours})` },
];

const readHours = (flags: FlagValues): Result<number | null, Failure> => {
  const text = readText(flags, "gpu-hours");
  if (text === null) return ok(null);
  const hours = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return hours <= MOST.hours ? ok(hours) : failUsage(`--gpu-hours takes a number such as 8 or 0.5, not "${text}"`);
};

/** Null for another role, which has none. */
export const readLimits = (flags: FlagValues, role: Role): Result<AgentLimits | null, Failure> => {
  const given = LIMIT_FLAGS.find(({ long }) => flags[long] !== undefined);
  if (role !== "agent")
    return given === undefined ? ok(null) : failUsage(`--${given.long} is a limit of the role agent, not of ${role}`);
  const gpus = readWhole(flags, "gpus", { min: 0, max: MOST.gpus });
  if (!gpus.ok) return gpus;
  const queued = readWhole(flags, "queued", { min: 1, max: MOST.queued });
  if (!queued.ok) return queued;
  const hours = readHours(flags);
  if (!hours.ok) return hours;
  return ok({
    gpus: gpus.value ?? USUAL_LIMITS.gpus,
    queued: queued.value ?? USUAL_LIMITS.queued,
    gpuHours: hours.value ?? USUAL_LIMITS.gpuHours,
  });
};

/** In one line, empty where there are none. */
export const describeLimits = ({ limits = null }: Pick<AccessToken, "limits">): string =>
  limits === null
    ? ""
    : `${limits.gpus} ${limits.gpus === 1 ? "GPU" : "GPUs"} at once, ${limits.queued} queued, ${limits.gpuHours} GPU hours a day`;
