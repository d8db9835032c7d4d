import { ok, type Result } from "../../base/result.ts";
import type { Failure, Flag, FlagValues } from "../../command-line/command.ts";
import { readWhole } from "../../command-line/flag-values.ts";
import { fail, failState } from "../../command-line/usage.ts";
import type { WireFile, WireFiles } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import { MAX_RETRIES } from "../../wire/job-fields/retries.ts";
import { isSettled } from "../../wire/jobs/settled.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiResult } from "../connection/api-failure.ts";
import { awaitJob, isEnded } from "../jobs/await-job.ts";
import { readOutputs } from "../jobs/kept-text.ts";
import { trimPath } from "./choose-files.ts";

const LARGEST_PAGE = 10_000;
const JOB_ID = /^[a-z0-9-]{1,64}$/;

type Part = Readonly<{ below: string; most: number; attempt: number | null }>;

const describePage = ({ below, attempt }: Part, page: Readonly<{ limit: number; offset: number }>): string =>
  new URLSearchParams({
    path: trimPath(below),
    ...(attempt === null ? {} : { attempt: String(attempt) }),
    limit: String(page.limit),
    ...(page.offset > 0 ? { offset: String(page.offset) } : {}),
  }).toString();

/** By path, at all depths below one; all of them, or `most`. The totals count all. */
export const listFiles = async (api: Api, id: string, part: Part): ApiResult<WireFiles> => {
  const { most } = part;
  const limit = Math.min(most, LARGEST_PAGE);
  const files: WireFile[] = [];
  for (;;) {
    const query = describePage(part, { limit, offset: files.length });
    const page = await api.get<WireFiles>(`/v1/jobs/${id}/files?${query}`);
    if (!page.ok) return page;
    files.push(...page.value.files);
    if (page.value.files.length < limit || files.length >= most)
      return ok({ ...page.value, files: files.slice(0, most) });
  }
};

const checkJob = ({ target }: Api, job: WireJob): Result<WireJob, Failure> => {
  if (readOutputs(job) === null)
    return fail(`the server "${target.name}" is too old to keep what jobs make: upgrade it`);
  if (!JOB_ID.test(job.id)) return fail("the server answered with a job id that can't be one");
  return job.status === "queued" && !job.attempts?.length ? failState(`job ${job.id} has not started yet`) : ok(job);
};

/** A job that has started; one that has ended once what it made is kept. */
export const findJobWithFiles = async (api: Api, word: string): Promise<Result<WireJob, Failure>> => {
  const found = await api.get<WireJob>(`/v1/jobs/${encodeURIComponent(word)}`);
  const job = found.ok ? checkJob(api, found.value) : found;
  if (!job.ok || !isEnded(job.value) || isSettled(job.value)) return job;
  return awaitJob(api, job.value.id, isSettled);
};

/** Where the files lie on the server's machine: two folders as long as they are not all kept. */
export const listPlaces = (job: WireJob): readonly string[] => {
  if (job.dir === null) return [];
  const isKept = isEnded(job) && readOutputs(job)?.state !== "failed";
  return [`${job.dir}/outputs`, ...(isKept ? [] : [`${job.dir}/repo`])];
};

export const ATTEMPT_FLAG: Flag = {
  long: "attempt",
  value: "N",
  help: "those of its Nth attempt (default: the newest)",
};

export const readAttempt = (flags: FlagValues): Result<number | null, Failure> =>
  readWhole(flags, "attempt", { min: 1, max: MAX_RETRIES + 1 });
