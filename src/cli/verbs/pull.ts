import type { Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { fail, failMissing, failState, failUsage, INTERRUPTED } from "../../command-line/usage.ts";
import type { WireFile } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import { describeAmount } from "../../wire/outputs-text.ts";
import type { Api } from "../connection/api-client.ts";
import { connect } from "../connection/connect.ts";
import { chooseFiles } from "../files/choose-files.ts";
import { closeFolder } from "../files/held-folder.ts";
import { ATTEMPT_FLAG, findJobWithFiles, listFiles, readAttempt } from "../files/list-files.ts";
import { listParts } from "../files/part-file.ts";
import { type PullReport, pullFiles } from "../files/pull-files.ts";
import { NO_PROGRESS, showPullProgress } from "../files/pull-progress.ts";
import { openTarget, type TargetFolder } from "../files/target-folder.ts";
import { isEnded, stayWith } from "../jobs/await-job.ts";
import { describeNoFiles, listNotes, readOutputs } from "../jobs/kept-text.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint, print, printJson } from "../terminal/output.ts";

type Asked = Readonly<{
  api: Api;
  job: WireJob;
  attempt: number | null;
  flags: FlagValues;
  listed: readonly WireFile[];
  isAll: boolean;
}>;

const SHOWN = 20;

const countBytes = (files: readonly WireFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

const describeNothing = (job: WireJob): string => {
  const what = isEnded(job) ? describeNoFiles(job) : "has written no files yet";
  return [`job ${job.id} ${what}`, ...listNotes(job)].join("; ");
};

const fetchAll = async (
  { api, job, attempt, flags, listed }: Asked,
  { top, shown }: TargetFolder,
  files: readonly WireFile[],
): Promise<Result<PullReport, Failure>> => {
  const isQuiet = readSwitch(flags, "json") || readSwitch(flags, "quiet") || !isTerminal("errors");
  const progress = isQuiet ? NO_PROGRESS : showPullProgress({ files: files.length, bytes: countBytes(files) });
  const facts = {
    id: job.id,
    attempt,
    top,
    shown,
    parts: listParts(top, listed),
    isForced: readSwitch(flags, "force"),
  };
  const leave = (): void => {
    progress.end();
    hint("Interrupted: the same command goes on where this stopped");
    process.exit(INTERRUPTED);
  };
  process.once("SIGINT", leave);
  try {
    return await pullFiles({ ...facts, api: stayWith(api), onBytes: progress.addBytes }, files, progress.addFile);
  } finally {
    process.off("SIGINT", leave);
    progress.end();
  }
};

const sayProblems = ({ differing, failed }: PullReport): void => {
  const lines = [
    ...failed.map(({ path, why }) => `${path} was not fetched: ${why}`),
    ...differing.map((path) => `${path} differs from what is here, which stays as it is`),
  ];
  for (const line of lines.slice(0, SHOWN)) hint(line);
  if (lines.length > SHOWN) hint(`… and ${lines.length - SHOWN} more`);
};

const summarise = ({ fetched, there }: PullReport, shown: string): string | null => {
  if (fetched.files + there.files === 0) return null;
  if (fetched.files === 0) return `${describeAmount(there)}: there already in ${shown}`;
  const also = there.files === 0 ? "" : `; ${describeAmount(there)}: there already`;
  return `${describeAmount(fetched)}: fetched to ${shown}${also}`;
};

const report = (pulled: PullReport, shown: string, flags: FlagValues): void => {
  const summary = summarise(pulled, shown);
  if (readSwitch(flags, "json")) printJson({ folder: shown, ...pulled });
  else if (readSwitch(flags, "quiet")) print(shown);
  else if (summary !== null) print(summary);
};

const noteWhole = async ({ api, job, isAll }: Asked): Promise<void> => {
  if (!isAll || !isEnded(job) || readOutputs(job)?.pulled === true) return;
  await api.send("PATCH", `/v1/jobs/${job.id}/files`, { pulled: true });
};

const countFiles = (count: number): string => (count === 1 ? "1 file" : `${count} files`);

const conclude = async (asked: Asked, pulled: PullReport): Promise<Outcome> => {
  const { differing, failed } = pulled;
  if (failed.length > 0) return fail(`${countFiles(failed.length)} could not be fetched`);
  if (differing.length > 0) {
    const verb = differing.length === 1 ? "differs and was" : "differ and were";
    return fail(`${countFiles(differing.length)} ${verb} not fetched`, `to overwrite: nx pull -f ${asked.job.id}`);
  }
  await noteWhole(asked);
  return DONE;
};

const pullInto = async (asked: Asked, target: TargetFolder, files: readonly WireFile[]): Promise<Outcome> => {
  const pulled = await fetchAll(asked, target, files);
  if (!pulled.ok) return pulled;
  sayProblems(pulled.value);
  report(pulled.value, target.shown, asked.flags);
  return conclude(asked, pulled.value);
};

const nameFolder = ({ id }: WireJob, attempt: number | null): string =>
  attempt === null ? id : `${id}-attempt-${attempt}`;

const pull = async (api: Api, job: WireJob, { flags, words }: Invocation): Promise<Outcome> => {
  const attempt = readAttempt(flags);
  if (!attempt.ok) return attempt;
  const listed = await listFiles(api, job.id, { below: "", most: Number.POSITIVE_INFINITY, attempt: attempt.value });
  if (!listed.ok) return listed;
  const { files, total_files } = listed.value;
  if (files.length === 0) return isEnded(job) ? failMissing(describeNothing(job)) : failState(describeNothing(job));
  const chosen = chooseFiles(files, words.slice(1), job.id);
  if (!chosen.ok) return chosen;
  const target = openTarget(readText(flags, "output"), nameFolder(job, attempt.value));
  if (!target.ok) return target;
  const isAll = attempt.value === null && chosen.value.length === total_files;
  try {
    return await pullInto(
      { api, job, attempt: attempt.value, flags, listed: files, isAll },
      target.value,
      chosen.value,
    );
  } finally {
    closeFolder(target.value.top);
  }
};

const run = async (invocation: Invocation): Promise<Outcome> => {
  const [id] = invocation.words;
  if (!id) return failUsage("nx pull takes a job id, then what of its files", "see nx history");
  const api = await connect(invocation.flags);
  if (!api.ok) return api;
  const job = await findJobWithFiles(api.value, id);
  return job.ok ? pull(api.value, job.value, invocation) : job;
};

export const verb: Verb = {
  name: "pull",
  usage: "nx pull [flags] ID [path or pattern…]",
  summary: "fetch the files that a job made",
  flags: [
    { long: "output", short: "o", value: "DIR", default: "nexus-outputs/ID", help: "to this folder" },
    ATTEMPT_FLAG,
    { long: "force", short: "f", help: "overwrite what differs here" },
    { long: "json", help: "what was fetched as JSON" },
    { long: "quiet", short: "q", help: "the folder only" },
  ],
  examples: ["nx pull k3f9ab", "nx pull k3f9ab 'runs/**/*.pt' -o results"],
  run,
};
