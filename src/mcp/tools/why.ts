import { z } from "zod";
import { ok } from "../../base/result.ts";
import type { WireWait } from "../../wire/wait.ts";
import { jobId } from "../arguments.ts";
import { leaveOutUnknown } from "../brief-job.ts";
import { defineTool, type Tool } from "../tool.ts";

export const why: Tool = defineTool(
  {
    name: "why",
    title: "Why it waits",
    description: "What a queued job waits for, and its place in the queue.",
    kind: "reads",
    input: z.strictObject({ id: jobId }),
  },
  async ({ ask }, { id }) => {
    const wait = await ask.get<WireWait>(`/v1/jobs/${id}/why`);
    if (!wait.ok) return wait;
    const { status, reason, text, until, position, queue_length, ahead } = wait.value;
    return ok(leaveOutUnknown({ id, status, reason, text, until, position, queue_length, ahead }));
  },
);
