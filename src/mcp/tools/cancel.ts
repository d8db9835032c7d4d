import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import { jobIds } from "../arguments.ts";
import type { Ask, Trouble } from "../ask.ts";
import { leaveOutUnknown } from "../brief-job.ts";
import { defineTool, type Facts, type Tool } from "../tool.ts";

type What = "removed" | "killed" | "already_ended";

const WRONG_STATE = "INVALID_JOB_STATE";

const convert = (answer: Result<unknown, Trouble>, what: What): Result<What, Trouble> =>
  answer.ok ? ok(what) : answer;

const isOtherState = (done: Result<What, Trouble>): boolean => !done.ok && done.error.code === WRONG_STATE;

const cancelOne = async (ask: Ask, id: string): Promise<Result<What, Trouble>> => {
  const removed = convert(await ask.send("DELETE", `/v1/jobs/${id}`), "removed");
  if (!isOtherState(removed)) return removed;
  const killed = convert(await ask.send("POST", `/v1/jobs/${id}/kill`), "killed");
  return isOtherState(killed) ? ok("already_ended") : killed;
};

const describeRefused = (id: string, { code, message }: Trouble): Facts => ({ id, error: code ?? "FAILED", message });

export const cancel: Tool = defineTool(
  {
    name: "cancel",
    title: "Cancel",
    description: "Take queued jobs out of the queue and kill running ones.",
    kind: "ends",
    input: z.strictObject({ ids: jobIds }),
  },
  async ({ ask }, { ids }) => {
    const done: Record<What, string[]> = { removed: [], killed: [], already_ended: [] };
    const refused: Facts[] = [];
    let last: Trouble | null = null;
    for (const id of new Set(ids)) {
      const cancelled = await cancelOne(ask, id);
      if (cancelled.ok) done[cancelled.value].push(id);
      else {
        last = cancelled.error;
        refused.push(describeRefused(id, cancelled.error));
      }
    }
    const facts = leaveOutUnknown({ ...done, refused });
    return last === null ? ok(facts) : err({ code: last.code, message: last.message, facts });
  },
);
