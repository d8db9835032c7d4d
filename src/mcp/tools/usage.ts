import { z } from "zod";
import { ok } from "../../base/result.ts";
import type { Usage } from "../../wire/usage/usage.ts";
import { leaveOutUnknown } from "../brief-job.ts";
import { defineTool, type Tool } from "../tool.ts";

const MAX_DAYS = 366;
const USUAL_DAYS = 7;

export const usage: Tool = defineTool(
  {
    name: "usage",
    title: "Usage",
    description: "GPU hours and jobs by user; where you are an agent, your limits and what is left of them.",
    kind: "reads",
    input: z.strictObject({
      days: z.int().min(1).max(MAX_DAYS).default(USUAL_DAYS),
      user: z.string().min(1).optional(),
    }),
  },
  async ({ ask }, { days, user }) => {
    const query = new URLSearchParams({ days: String(days), ...(user === undefined ? {} : { user }) });
    const read = await ask.get<Usage>(`/v1/usage?${query}`);
    return read.ok ? ok(leaveOutUnknown({ days, users: read.value.users, limits: read.value.limits })) : read;
  },
);
