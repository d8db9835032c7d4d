import { escapeText } from "../../base/escape-text.ts";
import { formatBytes } from "../../base/format-bytes.ts";
import { DONE, type FlagValues, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import type { WireFile, WireFiles } from "../../wire/files.ts";
import type { WireJob } from "../../wire/job.ts";
import { describeAmount } from "../../wire/outputs-text.ts";
import { connect } from "../connection/connect.ts";
import { ATTEMPT_FLAG, findJobWithFiles, listFiles, listPlaces, readAttempt } from "../files/list-files.ts";
import { isEnded } from "../jobs/await-job.ts";
import { describeNoFiles } from "../jobs/kept-text.ts";
import { LIST_FLAGS, readLimit } from "../jobs/list-flags.ts";
import { formatClock } from "../terminal/clock.ts";
import { hint, print, printJson, printTable } from "../terminal/output.ts";

const formatSize = ({ type, size }: WireFile): string => (type === "link" ? "link" : formatBytes(size));

const formatName = ({ path, target }: WireFile): string => (target === null ? path : `${path} -> ${target}`);

const showTable = ({ files, total_files, total_bytes }: WireFiles): void => {
  printTable(
    ["SIZE", "TIME (UTC)", "PATH"],
    files.map((file) => [formatSize(file), formatClock(file.mtime), formatName(file)]),
  );
  print(`${describeAmount({ files: total_files, bytes: total_bytes })} in all`);
};

const show = (job: WireJob, files: WireFiles, flags: FlagValues): void => {
  if (readSwitch(flags, "json")) printJson(files);
  else if (readSwitch(flags, "quiet")) for (const { path } of files.files) print(escapeText(path));
  else if (files.total_files > 0) showTable(files);
  else hint(isEnded(job) ? `Job ${job.id} ${describeNoFiles(job)}.` : `Job ${job.id} has written no files yet.`);
};

const sayMore = ({ id }: WireJob, { files, total_files }: WireFiles): void => {
  const shown = files.length;
  if (total_files > shown)
    hint(`${shown === 1 ? "The first is" : `The first ${shown} are`} shown; more with: nx files ${id} --all`);
};

const showPlaces = (job: WireJob): Outcome => {
  const places = listPlaces(job);
  for (const place of places) print(escapeText(place));
  return places.length > 0 ? DONE : fail(`where the files of job ${job.id} lie is not known`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  const [id, path = ""] = words;
  if (!id) return failUsage("nx files takes a job id, then a folder of its files", "see nx history");
  const limit = readLimit(flags);
  if (!limit.ok) return limit;
  const attempt = readAttempt(flags);
  if (!attempt.ok) return attempt;
  const api = await connect(flags);
  if (!api.ok) return api;
  const job = await findJobWithFiles(api.value, id);
  if (!job.ok) return job;
  if (readSwitch(flags, "path")) return showPlaces(job.value);
  const files = await listFiles(api.value, job.value.id, { below: path, most: limit.value, attempt: attempt.value });
  if (!files.ok) return files;
  show(job.value, files.value, flags);
  sayMore(job.value, files.value);
  return DONE;
};

export const verb: Verb = {
  name: "files",
  usage: "nx files [flags] ID [path]",
  summary: "the files that a job made, or has made so far",
  flags: [
    ...LIST_FLAGS.filter(({ long }) => long === "count" || long === "all"),
    ATTEMPT_FLAG,
    { long: "path", help: "where they lie on the server's machine" },
    { long: "json", help: "as JSON" },
    { long: "quiet", short: "q", help: "paths only" },
  ],
  maxWords: 2,
  examples: ["nx files k3f9ab", "nx files k3f9ab runs --all"],
  run,
};
