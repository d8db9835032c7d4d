import { ok, type Result } from "../../base/result.ts";
import { phraseFailure } from "../../command-line/usage.ts";
import type { WireJobUse } from "../../wire/gpus/job-use.ts";
import type { WireJob } from "../../wire/job.ts";
import { readServerView, type ServerView } from "../../wire/views/server-view.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiFailure } from "../connection/api-failure.ts";
import type { Effect } from "./actions.ts";
import { listPercents } from "./curve.ts";
import { readLogLines } from "./log-lines.ts";
import type { JobLog } from "./top-state.ts";

const MOST_JOBS = 200;

export const readView = (api: Api): Promise<Result<ServerView, ApiFailure>> => readServerView(api.get, MOST_JOBS);

/** The last lines, and the job as it stands by then. */
export const readJobLog = async (api: Api, id: string, count: number): Promise<Result<JobLog, ApiFailure>> => {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const [job, log] = await Promise.all([
    api.get<WireJob>(path),
    api.get<{ data: string }>(`${path}/logs?last_n_lines=${count}`),
  ]);
  if (!job.ok) return job;
  return log.ok ? ok({ job: job.value, lines: readLogLines(log.value.data) }) : log;
};

/** What each of its GPUs did in the last minutes, null where that is not known; nothing of a server that does not tell. */
export const readPercents = async (api: Api, id: string, most: number): Promise<readonly (number | null)[]> => {
  const use = await api.get<WireJobUse>(`/v1/jobs/${encodeURIComponent(id)}/usage?last_n_spans=${most}`);
  return use.ok ? listPercents(use.value) : [];
};

type Change = Extract<Effect, { id: string }>;

const send = (api: Api, change: Change): Promise<Result<unknown, ApiFailure>> => {
  const path = `/v1/jobs/${encodeURIComponent(change.id)}`;
  switch (change.kind) {
    case "kill":
      return api.send("POST", `${path}/kill`);
    case "remove":
      return api.send("DELETE", path);
    case "prioritise":
      return api.send("PATCH", path, { priority: change.priority });
  }
};

const describeDone = (change: Change): string => {
  switch (change.kind) {
    case "kill":
      return `Job ${change.id} is being killed.`;
    case "remove":
      return `Job ${change.id} is removed.`;
    case "prioritise":
      return `Job ${change.id} has priority ${change.priority}.`;
  }
};

/** What came of it, in one line. */
export const carryOut = async (api: Api, change: Change): Promise<string> => {
  const sent = await send(api, change);
  return sent.ok ? describeDone(change) : phraseFailure(sent.error);
};
