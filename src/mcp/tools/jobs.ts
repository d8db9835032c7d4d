import { z } from "zod";
import { ok } from "../../base/result.ts";
import { type ExplainedJob, JOB_STATUSES } from "../../wire/job.ts";
import { search } from "../arguments.ts";
import { describeBriefly, readNow } from "../brief-job.ts";
import { defineTool, type Tool } from "../tool.ts";

const MAX_JOBS = 200;
const USUAL_JOBS = 20;

type Asked = Readonly<{ status: readonly string[]; user?: string | undefined; search?: string | undefined }>;

const describeQuery = ({ status, user, search: regex }: Asked, limit: number): string =>
  new URLSearchParams([
    ...status.map((one): [string, string] => ["status", one]),
    ...(user === undefined ? [] : [["user", user] as [string, string]]),
    ...(regex === undefined ? [] : [["command_regex", regex] as [string, string]]),
    ["explain", "true"],
    ["limit", String(limit)],
  ]).toString();

export const jobs: Tool = defineTool(
  {
    name: "jobs",
    title: "Jobs",
    description: "Jobs: running, then queued (with why they wait), then ended, newest first.",
    kind: "reads",
    input: z.strictObject({
      status: z.array(z.enum(JOB_STATUSES)).default([]).describe("none: all"),
      user: z.string().min(1).optional(),
      search: search.optional().describe("RE2 expression over the command"),
      limit: z.int().min(1).max(MAX_JOBS).default(USUAL_JOBS),
    }),
  },
  async ({ ask }, asked) => {
    const found = await ask.get<readonly ExplainedJob[]>(`/v1/jobs?${describeQuery(asked, asked.limit + 1)}`);
    if (!found.ok) return found;
    const now = readNow();
    const shown = found.value.slice(0, asked.limit).map((job) => describeBriefly(job, now));
    return ok({ jobs: shown, ...(found.value.length > asked.limit ? { more: true } : {}) });
  },
);
