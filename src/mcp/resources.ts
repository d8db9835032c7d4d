import { err, ok } from "../base/result.ts";
import type { WireJob } from "../wire/job.ts";
import type { Logs } from "../wire/node.ts";
import { type Answer, type Ask, WRONG_ARGUMENTS } from "./ask.ts";
import { cutText } from "./brief-job.ts";
import { readLines } from "./log-lines.ts";

type Resource = Readonly<{ uri: string; name: string; description: string; mimeType: string }>;
type Contents = Readonly<{ uri: string; mimeType: string; text: string }>;

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain";
const SHOWN = 20;
const LOG_LINES = 1000;
const MAX_COMMAND = 100;
const ADDRESS = /^nexus:\/\/jobs\/([a-z0-9-]{1,64})(\/log)?$/;

export const TEMPLATES: readonly Readonly<{ uriTemplate: string } & Omit<Resource, "uri">>[] = [
  { uriTemplate: "nexus://jobs/{id}", name: "job", description: "All about a job", mimeType: JSON_TYPE },
  {
    uriTemplate: "nexus://jobs/{id}/log",
    name: "log",
    description: `The last ${LOG_LINES} lines of a job's log`,
    mimeType: TEXT_TYPE,
  },
];

const describeJob = ({ id, status, command }: WireJob): Resource => ({
  uri: `nexus://jobs/${id}`,
  name: id,
  description: `${status}: ${cutText(command, MAX_COMMAND)}`,
  mimeType: JSON_TYPE,
});

/** The jobs that an agent would see first. */
export const listResources = async (ask: Ask): Answer<readonly Resource[]> => {
  const jobs = await ask.get<readonly WireJob[]>(`/v1/jobs?limit=${SHOWN}`);
  return jobs.ok ? ok(jobs.value.map(describeJob)) : jobs;
};

const readJob = async (ask: Ask, id: string, uri: string): Answer<Contents> => {
  const job = await ask.get<WireJob>(`/v1/jobs/${id}`);
  return job.ok ? ok({ uri, mimeType: JSON_TYPE, text: JSON.stringify(job.value) }) : job;
};

const readLog = async (ask: Ask, id: string, uri: string): Answer<Contents> => {
  const logs = await ask.get<Logs>(`/v1/jobs/${id}/logs?last_n_lines=${LOG_LINES}`);
  return logs.ok ? ok({ uri, mimeType: TEXT_TYPE, text: readLines(logs.value.data).join("\n") }) : logs;
};

export const readResource = (ask: Ask, uri: string): Answer<Contents> => {
  const [, id, isLog] = ADDRESS.exec(uri) ?? [];
  if (id !== undefined) return isLog === undefined ? readJob(ask, id, uri) : readLog(ask, id, uri);
  const message = `"${cutText(uri, MAX_COMMAND)}" is no resource of Nexus; there are ${TEMPLATES.map(({ uriTemplate }) => uriTemplate).join(", ")}`;
  return Promise.resolve(err({ code: WRONG_ARGUMENTS, message }));
};
