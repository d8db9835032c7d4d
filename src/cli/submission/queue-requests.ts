import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Flag, type FlagValues, type Outcome } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { fail } from "../../command-line/usage.ts";
import type { JobRequestInput, WireJob } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";
import { printRows, wantsJson } from "../documents/rows.ts";
import { WAIT_FIELDS } from "../fields/field-table.ts";
import { toFlag } from "../fields/job-field.ts";
import { warnOfHalt } from "../jobs/halt-text.ts";
import { warnOfHealth } from "../jobs/warn-of-health.ts";
import { createCommandFit } from "../lists/shorten-commands.ts";
import { hint, print, readHintWidth } from "../terminal/output.ts";
import { confirm } from "../terminal/prompt.ts";
import { measureWidth } from "../terminal/text-width.ts";
import { showDifferences } from "./show-differences.ts";
import { showRequest } from "./show-request.ts";

type Requests = readonly JobRequestInput[];
type Submit = (requests: Requests) => Promise<Result<readonly WireJob[], Failure>>;

const SHOWN = 10;
const INDENT = 2;

export const QUEUE_FLAGS: readonly Flag[] = [
  { long: "repeat", short: "r", value: "N", help: "add each N times" },
  { long: "priority", short: "p", value: "N", default: 0, help: "higher starts earlier" },
  ...WAIT_FIELDS.map(toFlag),
  { long: "literal", help: "leave all braces as they are" },
  { long: "sweep", help: "make jobs also of lists that may be a program's text" },
];

const confirmMany = async (requests: Requests, flags: FlagValues): Promise<Result<boolean, Failure>> => {
  if (requests.length === 1 || readSwitch(flags, "yes")) return ok(true);
  const commands = requests.map(({ command }) => escapeText(command));
  const shorten = createCommandFit(commands);
  const width = readHintWidth() - INDENT;
  const shown = showDifferences(commands).slice(0, SHOWN);
  for (const [index, text] of shown.entries())
    hint(`  ${measureWidth(text) <= width ? text : shorten(commands[index] ?? "", width)}`);
  if (requests.length > SHOWN) hint(`  … and ${requests.length - SHOWN} more`);
  return confirm(`Add ${requests.length} jobs?`, true);
};

const report = (jobs: readonly WireJob[], flags: FlagValues): void => {
  if (wantsJson(flags)) printRows(jobs, flags);
  else if (readSwitch(flags, "quiet")) print(jobs.map((job) => job.id).join("\n"));
  else if (jobs.length === 1) print(`Job ${jobs[0]?.id} is queued. See it with: nx queue`);
  else print(`${jobs.length} jobs are queued: ${jobs[0]?.id} … ${jobs.at(-1)?.id}. See them with: nx queue`);
};

/** Asks before more than one, or only shows them with `--dry-run`. */
export const queueRequests = async (
  api: Api,
  flags: FlagValues,
  requests: Requests,
  submit: Submit,
): Promise<Outcome> => {
  if (readSwitch(flags, "dry-run")) {
    printRows(requests.map(showRequest), flags);
    return DONE;
  }
  const agreed = await confirmMany(requests, flags);
  if (!agreed.ok) return agreed;
  if (!agreed.value) return fail("nothing was added");
  const jobs = await submit(requests);
  if (!jobs.ok) return jobs;
  report(jobs.value, flags);
  await Promise.all([warnOfHalt(api), warnOfHealth(api)]);
  return DONE;
};
