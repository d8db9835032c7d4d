import { z } from "zod";
import { ok, type Result } from "../../base/result.ts";
import type { WireFiles } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import { isSettled } from "../../wire/jobs/settled.ts";
import { RECORDER_LINES } from "../../wire/logs/recorder-filter.ts";
import type { Logs } from "../../wire/node.ts";
import { jobIds, lineCount, search } from "../arguments.ts";
import type { Ask, Trouble } from "../ask.ts";
import { type Awaited, awaitJobs } from "../await-jobs.ts";
import { describeState, leaveOutUnknown, readNow } from "../brief-job.ts";
import { chooseLines, createMatcher } from "../log-lines.ts";
import type { MatchText } from "../text-matcher.ts";
import { defineTool, type Facts, type Tool } from "../tool.ts";

type Shown = Readonly<{ lines: number; matches: MatchText; isSearch: boolean }>;

const USUAL_LINES = 5;
const USUAL_TIMEOUT_S = 600;
const MAX_TIMEOUT_S = 3600;
const FILES_SHOWN = 5;

const readLastLines = async (ask: Ask, { id }: WireJob, { lines, matches, isSearch }: Shown): Promise<Facts> => {
  if (lines === 0) return {};
  const query = isSearch ? "" : `?last_n_lines=${lines + RECORDER_LINES}`;
  const read = await ask.get<Logs>(`/v1/jobs/${id}/logs${query}`);
  return read.ok ? { lines: (await chooseLines(read.value.data, matches, lines)).lines } : {};
};

const readFiles = async (ask: Ask, { id, outputs }: WireJob): Promise<Facts> => {
  if (!outputs?.files) return {};
  const read = await ask.get<WireFiles>(`/v1/jobs/${id}/files?limit=${FILES_SHOWN}`);
  const more = outputs.files - FILES_SHOWN;
  return {
    files: read.ok ? read.value.files.map(({ path }) => path) : [],
    ...(more > 0 ? { more_files: more } : {}),
  };
};

const describe = async (ask: Ask, { id, job }: Awaited, shown: Shown): Promise<Facts> => {
  if (job === null) return { id, status: "removed", reason: "it was taken out of the queue" };
  const state = describeState(job, readNow());
  if (job.status === "queued") return state;
  const [lines, files] = [await readLastLines(ask, job, shown), isSettled(job) ? await readFiles(ask, job) : {}];
  return leaveOutUnknown({ ...state, ...lines, ...files });
};

const readShown = async (lines: number, pattern: string | undefined): Promise<Result<Shown, Trouble>> => {
  const matches = await createMatcher(pattern);
  return matches.ok ? ok({ lines, matches: matches.value, isSearch: pattern !== undefined }) : matches;
};

export const wait: Tool = defineTool(
  {
    name: "wait",
    title: "Wait",
    description:
      "Wait until jobs end, all or any, or the timeout is over; then how each ended, why, its last lines, its files. Timeout 0: how they stand.",
    kind: "reads",
    input: z.strictObject({
      ids: jobIds,
      timeout: z.number().min(0).max(MAX_TIMEOUT_S).default(USUAL_TIMEOUT_S).describe("seconds"),
      any: z.boolean().default(false).describe("the first to end is enough"),
      lines: lineCount(USUAL_LINES).describe("last lines of each"),
      search: search.optional().describe("RE2 expression: of those that match"),
    }),
  },
  async (context, { ids, timeout, any, lines, search: pattern }) => {
    const shown = await readShown(lines, pattern);
    if (!shown.ok) return shown;
    const awaited = await awaitJobs(context, [...new Set(ids)], { timeoutS: timeout, isAny: any });
    if (!awaited.ok) return awaited;
    const { jobs, isTimedOut } = awaited.value;
    const described: Facts[] = [];
    for (const one of jobs) described.push(await describe(context.ask, one, shown.value));
    return ok({ ...(isTimedOut ? { timed_out: true } : {}), jobs: described });
  },
);
