import type { WireJob } from "../../wire/job.ts";
import { isSettled } from "../../wire/jobs/settled.ts";
import type { Api } from "../connection/api-client.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint } from "../terminal/output.ts";
import { awaitJob } from "./await-job.ts";
import { describeFilesAtEnd } from "./kept-text.ts";

const SLOW_MS = 1000;

/** Says on a terminal that what a job made is being kept, where that takes long enough; returns what ends it. */
export const sayIfSlow = (): (() => void) => {
  const slow = setTimeout(() => {
    if (isTerminal("errors")) hint("Keeping what it made …");
  }, SLOW_MS).unref();
  return () => clearTimeout(slow);
};

/** Says what is kept of an ended job's files, as far as that is known, and what else it has to say. */
export const sayFiles = (job: WireJob): void => {
  for (const line of describeFilesAtEnd(job)) hint(line);
  if (!isSettled(job)) hint(`What job ${job.id} made is still being kept: nx files ${job.id}`);
};

const awaitSettled = async (api: Api, job: WireJob): Promise<WireJob> => {
  const end = sayIfSlow();
  const settled = await awaitJob(api, job.id, isSettled);
  end();
  return settled.ok ? settled.value : job;
};

/** Says what is kept of an ended job's files, once that is known. */
export const sayKept = async (api: Api, ended: WireJob): Promise<WireJob> => {
  const job = isSettled(ended) ? ended : await awaitSettled(api, ended);
  sayFiles(job);
  return job;
};
