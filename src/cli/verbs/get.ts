import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { WireDelivery } from "../../wire/delivery.ts";
import type { WireJob } from "../../wire/job.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { describeDeliveries } from "../jobs/delivery-text.ts";
import { describeJob } from "../jobs/job-text.ts";
import { dim, print, printJson } from "../terminal/output.ts";

const LEAST_NAME = 10;
const GAP = 2;

const isKept = async (api: Api, { cpus = null, memory_mib = null }: Partial<WireJob>): Promise<boolean> => {
  if ((cpus ?? memory_mib) === null) return false;
  const status = await api.get<ServerStatus>("/v1/server/status");
  return status.ok && status.value.booking?.enforced === true;
};

const show = (job: WireJob, deliveries: readonly WireDelivery[], isEnforced: boolean): void => {
  const told = describeDeliveries(deliveries).map((line) => ["told", line] as const);
  const lines = [...describeJob(job, isEnforced), ...told];
  const width = Math.max(LEAST_NAME, ...lines.map(([name]) => name.length + GAP));
  for (const [name, value] of lines) print(`${dim(name.padEnd(width))}${value}`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id] = words;
  if (!id || words.length > 1) return failUsage("nx get takes one job id", "see nx queue and nx history");
  const api = await connect(flags);
  if (!api.ok) return api;
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const [job, told] = await Promise.all([
    api.value.get<WireJob>(path),
    api.value.get<readonly WireDelivery[]>(`${path}/deliveries`),
  ]);
  if (!job.ok) return job;
  const deliveries = told.ok ? told.value : [];
  if (readSwitch(flags, "json")) printJson({ ...job.value, deliveries });
  else if (readSwitch(flags, "quiet")) print(job.value.id);
  else show(job.value, deliveries, await isKept(api.value, job.value));
  return DONE;
};

export const verb: Verb = {
  name: "get",
  usage: "nx get ID",
  summary: "all about one job",
  flags: [
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "its id only, if there is such a job" },
  ],
  examples: ["nx get k3f9ab"],
  run,
};
