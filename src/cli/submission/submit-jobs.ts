import { randomInt } from "node:crypto";
import { escapeText } from "../../base/escape-text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { formatMib, writeSize } from "../../base/sizes.ts";
import type { FlagValues } from "../../command-line/command.ts";
import { readList, readSwitch } from "../../command-line/flag-values.ts";
import { UNREACHABLE } from "../../command-line/usage.ts";
import type { JobRequestInput, SubmittedJob, WireJob } from "../../wire/job.ts";
import { drawJobId } from "../../wire/job-id.ts";
import type { Snapshot } from "../code/code-snapshot.ts";
import { sendCode } from "../code/send-code.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiFailure, ApiResult } from "../connection/api-failure.ts";
import { describeEstimates } from "../jobs/facts/estimate-text.ts";
import { readOutputs } from "../jobs/kept-text.ts";
import { checkLinks } from "../project/check-links.ts";
import { readSwitchOption } from "../settings/config-file.ts";
import { hint } from "../terminal/output.ts";
import { warnOfUnheeded } from "./warn-of-unheeded.ts";

type Submitted = WireJob & Partial<SubmittedJob>;
type Requests = readonly JobRequestInput[];
type Post<Value> = (requests: Requests) => ApiResult<Value>;
type Submission<Value> = Readonly<{ requests: Requests; snapshot: Snapshot | null; post: Post<Value> }>;

const ROUNDS_WITH_OWN_IDS = 3;
const RETRIES = 5;
const RETRY_MS = 300;

const drawIds = (count: number): readonly string[] => {
  const ids = new Set<string>();
  while (ids.size < count) ids.add(drawJobId(randomInt));
  return [...ids];
};

const nameTag = (id: string): string => `nexus-${id}`;

const listTags = (names: readonly string[]): string =>
  names.length === 1 ? `tag ${names[0]}` : `${names.length} tags ${names[0]} … ${names.at(-1)}`;

const pushTags = async (snapshot: Snapshot | null, ids: readonly string[]): Promise<readonly string[]> => {
  if (snapshot === null) return [];
  const tags = ids.map(nameTag);
  hint(`Pushing ${listTags(tags)} to origin …`);
  const pushed = await snapshot.pushTags(tags);
  const there = new Set(pushed.names);
  const missing = tags.filter((tag) => !there.has(tag));
  const without = missing.length === 1 ? "the job goes on without" : "those jobs go on without";
  const problem = escapeText(pushed.problem ?? "");
  if (missing.length > 0) hint(`Warning: ${listTags(missing)} could not be pushed; ${without}: ${problem}`);
  return pushed.names;
};

const isRefused = ({ exitCode, code }: ApiFailure): boolean => exitCode !== UNREACHABLE && code !== null;

const mayHaveArrived = ({ exitCode, code }: ApiFailure): boolean => exitCode === UNREACHABLE && code === null;

const postSafely = async <Value>(post: Post<Value>, requests: Requests): ApiResult<Value> => {
  let answer = await post(requests);
  if (answer.ok || !mayHaveArrived(answer.error)) return answer;
  for (let round = 0; round < RETRIES && !answer.ok && answer.error.exitCode === UNREACHABLE; round++) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    answer = await post(requests);
  }
  return answer;
};

const submitWithOwnIds = async <Value>({ requests, snapshot, post }: Submission<Value>): ApiResult<Value> => {
  const ids = drawIds(requests.length);
  const tags = new Set(await pushTags(snapshot, ids));
  const named = requests.map((request, index) => {
    const id = ids[index] ?? "";
    const tag = tags.has(nameTag(id)) ? nameTag(id) : (request.git_tag ?? null);
    return { ...request, job_id: id, git_tag: tag };
  });
  const answer = await postSafely(post, named);
  if (!answer.ok && isRefused(answer.error) && tags.size > 0) await snapshot?.withdrawTags([...tags]);
  return answer;
};

const submitAnyhow = async <Value>(submission: Submission<Value>): ApiResult<Value> => {
  for (let round = 0; round < ROUNDS_WITH_OWN_IDS; round++) {
    const answer = await submitWithOwnIds(submission);
    if (answer.ok || answer.error.code !== "JOB_EXISTS") return answer;
  }
  return submission.post(submission.requests);
};

const submit = async <Value>(
  api: Api,
  flags: FlagValues,
  requests: Requests,
  post: Post<Value>,
): Promise<Result<Value, ApiFailure>> => {
  const code = await sendCode(api, flags, (snapshot) => checkLinks(snapshot, requests, api.target));
  if (!code.ok) return err({ ...code.error, code: null });
  const { fields, snapshot } = code.value;
  const isTagging = readSwitchOption(api.target.config, "enable_git_tag_push", false) && !readSwitch(flags, "local");
  const withCode = requests.map((request) => ({ ...request, ...fields }));
  try {
    return await submitAnyhow({ requests: withCode, snapshot: isTagging ? snapshot : null, post });
  } finally {
    snapshot?.dispose();
  }
};

const warnOfOldServer = (flags: FlagValues, [request]: Requests, [job]: readonly WireJob[]): void => {
  if (job === undefined) return;
  if (readOutputs(job) === null && readList(flags, "outputs").length > 0)
    hint("Warning: the server is too old for --outputs, and keeps no file of the job");
  if (job.links === undefined && (request?.links ?? []).length > 0)
    hint("Warning: the server is too old for --link, and the job has no links");
  if (job.input_artifact_id === undefined && request?.input_artifact_id)
    hint("Warning: the server is too old for standard input, and the job runs without it");
  warnOfUnheeded(request ?? {}, job);
};

const tellProposal = (
  flags: FlagValues,
  { vram_proposal: proposal, booked_only: _only, estimate: _estimate, ...job }: Submitted,
): WireJob => {
  if (proposal && !readSwitch(flags, "quiet")) {
    const used = `It used ${formatMib(proposal.peak_mib)} of GPU memory last time`;
    hint(`${used}: --vram ${writeSize(proposal.vram_mib)} lets others share its GPU`);
  }
  return job;
};

const tellBooked = (flags: FlagValues, submitted: readonly Submitted[]): void => {
  if (submitted.some(({ booked_only: isOnly }) => isOnly) && !readSwitch(flags, "quiet"))
    hint("CPUs and memory are booked, not enforced: nothing keeps a job to what it names");
};

const tellEstimate = (flags: FlagValues, submitted: readonly Submitted[]): void => {
  const estimates = submitted.map(({ estimate = null }) => estimate).filter((one) => one !== null);
  const isOfAll = estimates.length === submitted.length && estimates.length > 0;
  if (isOfAll && !readSwitch(flags, "quiet")) hint(describeEstimates(estimates));
};

const postBatch =
  (api: Api): Post<readonly Submitted[]> =>
  (named) =>
    api.send("POST", "/v1/jobs/batch", named);

const tellSubmitted = (flags: FlagValues, requests: Requests, submitted: readonly Submitted[]): readonly WireJob[] => {
  tellBooked(flags, submitted);
  tellEstimate(flags, submitted);
  const jobs = submitted.map((job) => tellProposal(flags, job));
  warnOfOldServer(flags, requests, jobs);
  return jobs;
};

/** Requests that name their code themselves, as the server has it. */
export const submitKnown = async (api: Api, flags: FlagValues, requests: Requests): ApiResult<readonly WireJob[]> => {
  const jobs = await submitAnyhow({ requests, snapshot: null, post: postBatch(api) });
  return jobs.ok ? ok(tellSubmitted(flags, requests, jobs.value)) : jobs;
};

export const submitBatch = async (api: Api, flags: FlagValues, requests: Requests): ApiResult<readonly WireJob[]> => {
  const jobs = await submit(api, flags, requests, postBatch(api));
  return jobs.ok ? ok(tellSubmitted(flags, requests, jobs.value)) : jobs;
};

export const submitJob = async (api: Api, flags: FlagValues, request: JobRequestInput): ApiResult<WireJob> => {
  const job = await submit(api, flags, [request], ([only]) => api.send<Submitted>("POST", "/v1/jobs", only));
  if (!job.ok) return job;
  tellBooked(flags, [job.value]);
  const submitted = tellProposal(flags, job.value);
  warnOfOldServer(flags, [request], [submitted]);
  return ok(submitted);
};
