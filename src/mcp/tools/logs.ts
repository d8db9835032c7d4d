import { z } from "zod";
import { ok } from "../../base/result.ts";
import { RECORDER_LINES } from "../../wire/logs/recorder-filter.ts";
import { LOG_FILES, type Logs } from "../../wire/node.ts";
import { jobId, lineCount, search } from "../arguments.ts";
import { chooseLines, createMatcher, type LogLines } from "../log-lines.ts";
import { defineTool, type Facts, type Tool } from "../tool.ts";

const USUAL_LINES = 20;

const asked = z.strictObject({
  id: jobId,
  lines: lineCount(USUAL_LINES).describe("the last so many"),
  search: search.optional().describe("RE2 expression: only lines that match"),
  since: z.int().min(0).optional().describe("`next` of an earlier answer: only what came after"),
  file: z.enum(LOG_FILES).default("output").describe("error: what went wrong around the job"),
});

const describeQuery = ({ lines, search: pattern, since, file }: z.output<typeof asked>): string => {
  if (since !== undefined) return `from=${since}`;
  const last = pattern === undefined ? `&last_n_lines=${lines + RECORDER_LINES}` : "";
  return file === "error" ? `file=error${last}` : `resumable=true${last}`;
};

const describe = (logs: Logs, chosen: LogLines): Facts => ({
  lines: chosen.lines,
  ...(chosen.left_out > 0 ? { left_out: chosen.left_out } : {}),
  ...(logs.next === undefined ? {} : { next: logs.next }),
  ...(logs.removed ? { removed: "the server keeps folders of ended jobs for a while only" } : {}),
});

export const logs: Tool = defineTool(
  {
    name: "logs",
    title: "Log",
    description: "The last lines of a job's log, those that match, or those since an earlier answer.",
    kind: "reads",
    input: asked,
  },
  async ({ ask }, values) => {
    const matches = await createMatcher(values.search);
    if (!matches.ok) return matches;
    const read = await ask.get<Logs>(`/v1/jobs/${values.id}/logs?${describeQuery(values)}`);
    if (!read.ok) return read;
    return ok(describe(read.value, await chooseLines(read.value.data, matches.value, values.lines)));
  },
);
