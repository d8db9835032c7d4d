import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import type { WireJob } from "../../wire/job.ts";
import { isSettled } from "../../wire/jobs/settled.ts";
import type { Api } from "../connection/api-client.ts";
import { awaitJobs, isEnded } from "./await-job.ts";

type Jobs = readonly WireJob[];

export type Ends = AsyncGenerator<Result<WireJob, Failure>>;

const listIds = (jobs: Jobs): readonly string[] => jobs.map(({ id }) => id);

const awaitAll = (api: Api, jobs: Jobs, signal: AbortSignal): Ends =>
  awaitJobs(api, { ids: listIds(jobs.filter((job) => !isSettled(job))), states: [isEnded, isSettled], signal });

const awaitFirst = async function* (api: Api, jobs: Jobs, signal: AbortSignal): Ends {
  for await (const job of awaitJobs(api, { ids: listIds(jobs), states: [isEnded], signal })) {
    yield job;
    if (job.ok) yield* awaitAll(api, [job.value], signal);
    return;
  }
};

const stopAt = async function* (ends: Ends, signal: AbortSignal): Ends {
  const { promise: over, resolve } = Promise.withResolvers<null>();
  signal.addEventListener("abort", () => resolve(null));
  if (signal.aborted) resolve(null);
  for (;;) {
    const next = await Promise.race([over, ends.next()]);
    if (next === null || next.done === true) return;
    yield next.value;
  }
};

/** Each job when it has ended, and once more when what it made is kept; with `isAny` only the first that ends. After the signal nothing more comes, whatever the server does. */
export const awaitEnds = async function* (
  api: Api,
  jobs: Jobs,
  { isAny, signal }: Readonly<{ isAny: boolean; signal: AbortSignal }>,
): Ends {
  const ended = jobs.filter(isEnded).slice(0, isAny ? 1 : undefined);
  yield* ended.map(ok);
  const awaited =
    isAny && ended.length === 0 ? awaitFirst(api, jobs, signal) : awaitAll(api, isAny ? ended : jobs, signal);
  yield* stopAt(awaited, signal);
};
