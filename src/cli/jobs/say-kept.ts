import type { WireJob } from "../../wire/job.ts";
import { isSettled } from "../../wire/jobs/settled.ts";
import type { Api } from "../connection/api-client.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint } from "../terminal/output.ts";
import { awaitJob } from "./await-job.ts";
import { describeFilesAtEnd } from "./kept-text.ts";

const SLOW_MS = 1000;

const awaitSettled = async (api: Api, job: WireJob): Promise<WireJob> => {
  const slow = setTimeout(() => {
    if (isTerminal("errors")) hint("Keeping what it made …");
  }, SLOW_MS);
  const settled = await awaitJob(api, job.id, isSettled);
  clearTimeout(slow);
  if (!settled.ok) hint(`What job ${job.id} made is still being kept: nx files ${job.id}`);
  return settled.ok ? settled.value : job;
};

/** Says what is kept of an ended job's files, once that is known, and what else it has to say. */
export const sayKept = async (api: Api, ended: WireJob): Promise<WireJob> => {
  const job = isSettled(ended) ? ended : await awaitSettled(api, ended);
  for (const line of describeFilesAtEnd(job)) hint(line);
  return job;
};
