import type { WireWait } from "../../../wire/wait.ts";
import type { Job } from "../jobs/job.ts";
import type { Candidate, Wait } from "./wait.ts";
import { describeWait, type WaitNotes } from "./wait-text.ts";

type WireCandidate = WireWait["gpus"][number];

const FREE = { job_id: null, user: null, processes: [] };

const nameJob = ({ id, user }: Pick<Job, "id" | "user">): Pick<WireCandidate, "job_id" | "user" | "processes"> => ({
  job_id: id,
  user,
  processes: [],
});

const toWireCandidate = ({ index, obstacle }: Candidate, { owners }: WaitNotes): WireCandidate => {
  switch (obstacle?.kind) {
    case undefined:
      return { index, obstacle: null, ...FREE };
    case "blacklist":
    case "fault":
    case "unseen_use":
      return { index, obstacle: obstacle.kind, ...FREE };
    case "reserved":
      return { index, obstacle: "reserved", ...FREE, user: obstacle.reserve.reservation.user };
    case "vram":
      return { index, obstacle: "vram", ...(obstacle.jobs[0] === undefined ? FREE : nameJob(obstacle.jobs[0])) };
    case "job":
      return { index, obstacle: "job", ...nameJob(obstacle.job) };
    case "allocation":
      return { index, obstacle: obstacle.allocation.kind, ...nameJob(obstacle.allocation.job) };
    case "processes": {
      const describe = (pid: number) => ({ pid, ...(owners.get(pid) ?? { user: null, program: null }) });
      return { index, obstacle: "processes", ...FREE, processes: obstacle.pids.map(describe) };
    }
  }
};

const findEnd = (blocker: Wait["blocker"]): number | null => {
  if (blocker?.kind === "gpus_taken") return blocker.reservedUntil;
  return blocker !== null && "until" in blocker ? blocker.until : null;
};

/** `before` counts the jobs in front of it, `ahead` are ids of the first of these, as many as the caller wants to name. */
export const toWireWait = (
  wait: Wait,
  queue: Readonly<{ length: number; before: number; ahead: readonly string[] }>,
  notes: WaitNotes,
): Omit<WireWait, "estimate"> => ({
  id: wait.job.id,
  status: "queued",
  reason: wait.blocker === null ? null : "reason" in wait.blocker ? wait.blocker.reason : wait.blocker.kind,
  text: describeWait(wait, notes),
  until: findEnd(wait.blocker),
  keeps_from: wait.blocker !== null && "keptFrom" in wait.blocker ? wait.blocker.keptFrom : null,
  position: queue.before + 1,
  queue_length: queue.length,
  ahead: [...queue.ahead],
  gpus: wait.blocker?.kind === "gpus_taken" ? wait.blocker.candidates.map((one) => toWireCandidate(one, notes)) : [],
});
