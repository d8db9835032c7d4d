import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { EarlierSession } from "../../core/jobs/earlier/earlier-job.ts";
import type { JobHandle } from "../../core/jobs/job.ts";
import { listPids, type Process, readBootId, readProcess, readUptimeTicks } from "../screen/processes/process-table.ts";

/** `uid` is whose it is. */
export type FoundSession = EarlierSession & Readonly<{ uid: number }>;

type Scene = Readonly<{ table: readonly Process[]; bootId: string; uptimeTicks: number; now: number }>;

const SESSION = /^nexus_job_([a-z0-9-]{1,64})$/;
const TICKS_PER_S = 100;
const UID = /^Uid:\s+(\d+)/m;
const DEVICES = /(?:^|\0)CUDA_VISIBLE_DEVICES=([\d,]*)(?:\0|$)/;

const readOf = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
};

const readDevices = (pids: readonly number[]): readonly number[] => {
  const found = pids.flatMap((pid) => DEVICES.exec(readOf(pid, "environ"))?.[1] ?? [])[0] ?? "";
  return found === "" ? [] : found.split(",").filter(Boolean).map(Number);
};

const describe = (
  { table, bootId, uptimeTicks, now }: Scene,
  { pid, startTicks }: Process,
  [session, script]: readonly [string, string],
): FoundSession => {
  const children = table.filter(({ parentPid }) => parentPid === pid).map((child) => child.pid);
  return {
    handle: { kind: "screen", session, pid, startTicks, bootId },
    dir: dirname(script),
    startedAt: now - (uptimeTicks - startTicks) / TICKS_PER_S,
    gpuIdxs: readDevices([pid, ...children]),
    uid: Number(UID.exec(readOf(pid, "status"))?.[1]),
  };
};

const findIn = (scene: Scene, found: Process): readonly (readonly [string, FoundSession])[] => {
  if (found.name !== "screen") return [];
  const words = readOf(found.pid, "cmdline").split("\0");
  const [, session = "", script = ""] = words.slice(words.indexOf("-dmS"));
  const id = words.includes("-dmS") ? SESSION.exec(session)?.[1] : undefined;
  return id === undefined ? [] : [[id, describe(scene, found, [session, script])]];
};

/** The live screen sessions that an earlier server began, by the ids of their jobs. */
export const findEarlierSessions = (now: number): ReadonlyMap<string, FoundSession> => {
  const table = listPids().flatMap((pid) => readProcess(pid) ?? []);
  const scene = { table, bootId: readBootId(), uptimeTicks: readUptimeTicks(), now };
  return new Map(table.flatMap((one) => findIn(scene, one)));
};

const OTHER_BOOT = "";
const NEVER = 0;

/** The handle of a session that is gone: of this start of the machine only if it began in it. */
export const describeGoneSession = (
  id: string,
  begun: Readonly<{ pid: number; at: number }>,
  now: number,
): JobHandle => {
  const bootedAt = now - readUptimeTicks() / TICKS_PER_S;
  const bootId = begun.at < bootedAt ? OTHER_BOOT : readBootId();
  return { kind: "screen", session: `nexus_job_${id}`, pid: begun.pid, startTicks: NEVER, bootId };
};
