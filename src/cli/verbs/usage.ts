import { writeCsv } from "../../base/csv.ts";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import {
  DONE,
  type Failure,
  type FlagValues,
  type Invocation,
  type Outcome,
  type Verb,
} from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { readPast } from "../../command-line/read-moment.ts";
import { fail, failUsage } from "../../command-line/usage.ts";
import type { HeldEstimates } from "../../wire/usage/estimates.ts";
import { USAGE_KEYS, type Usage, type UsageGroup, type UsageKey } from "../../wire/usage/usage.ts";
import { connect } from "../connection/connect.ts";
import { listRows, printRows, wantsJson } from "../documents/rows.ts";
import { formatDuration } from "../terminal/duration.ts";
import { isTerminal } from "../terminal/is-terminal.ts";
import { hint, printJson, printTable, write } from "../terminal/output.ts";

const USUAL_SINCE = "30d";
const MOST = 10_000;
const PERCENT = 100;

const readKey = (flags: FlagValues): Result<UsageKey, Failure> => {
  const text = readText(flags, "by") ?? "user";
  const key = USAGE_KEYS.find((one) => one === text);
  return key === undefined ? failUsage(`--by takes one of ${USAGE_KEYS.join(", ")}, not "${text}"`) : ok(key);
};

const formatShare = (share: number | null): string => (share === null ? "-" : `${Math.round(share * PERCENT)} %`);

const printGroups = ({ by, groups }: Usage): void =>
  printTable(
    ["GPU HOURS", "JOBS", "FAILED", "MEAN WAIT", "IDLE", by.toUpperCase()],
    groups.map(({ key, gpu_hours, jobs, failed, mean_wait_s: wait, idle_share: idle }) => [
      gpu_hours.toFixed(2),
      String(jobs),
      String(failed),
      wait === null ? "-" : formatDuration(wait),
      formatShare(idle),
      key ?? "-",
    ]),
  );

const COLUMNS = [
  "gpu_hours",
  "jobs",
  "failed",
  "mean_wait_s",
  "idle_share",
] as const satisfies readonly (keyof UsageGroup)[];

const renderCsv = ({ by, groups }: Usage, tell: (text: string) => string): string =>
  writeCsv([
    [by, ...COLUMNS],
    ...groups.map((group) => [group.key && tell(group.key), ...COLUMNS.map((name) => group[name])]),
  ]);

const show = (usage: Usage, flags: FlagValues): void => {
  if (readSwitch(flags, "csv")) write(renderCsv(usage, isTerminal("output") ? escapeText : String));
  else if (wantsJson(flags)) printRows(usage.groups, flags, usage);
  else if (usage.groups.length === 0) hint("No job ran in that time.");
  else printGroups(usage);
  if (usage.left_out > 0) hint(`The first ${usage.groups.length} are shown, ${usage.left_out} more are left out.`);
};

const describeQuery = (since: number, by: UsageKey, user: string | null): URLSearchParams =>
  new URLSearchParams({ since: String(since), by, limit: String(MOST), ...(user === null ? {} : { user }) });

const SPENT_FLAGS = ["by", "csv", "jsonl", "fields"] as const;

const showEstimates = ({ jobs, within, before, after, held_share: share }: HeldEstimates): void => {
  if (jobs === 0) hint("No job that had an estimate started in that time.");
  else
    printTable(
      ["JOBS", "WITHIN", "BEFORE", "AFTER", "HELD"],
      [[...[jobs, within, before, after].map(String), formatShare(share)]],
    );
};

const tellEstimates = async (flags: FlagValues, since: number): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const user = readText(flags, "user");
  const query = new URLSearchParams({ since: String(since), ...(user === null ? {} : { user }) });
  const held = await api.value.get<HeldEstimates>(`/v1/usage/estimates?${query}`);
  if (!held.ok) return held.error.code === "NOT_FOUND" ? fail("the server is too old for --estimates") : held;
  if (readSwitch(flags, "json")) printJson(held.value);
  else showEstimates(held.value);
  return DONE;
};

const tellUsage = async (flags: FlagValues, since: number, by: UsageKey): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const query = describeQuery(since, by, readText(flags, "user"));
  const usage = await api.value.get<Usage & Partial<Pick<Usage, "groups">>>(`/v1/usage?${query}`);
  if (!usage.ok) return usage;
  if (usage.value.groups === undefined) return fail("the server is too old for nx usage");
  show(usage.value, flags);
  return DONE;
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const by = readKey(flags);
  if (!by.ok) return by;
  if (readSwitch(flags, "csv") && wantsJson(flags)) return failUsage("give --csv or JSON, not both");
  const since = readPast({ since: USUAL_SINCE, ...flags }, "since");
  if (!since.ok) return since;
  if (!readSwitch(flags, "estimates")) return tellUsage(flags, since.value ?? 0, by.value);
  const other = SPENT_FLAGS.find((name) => flags[name] !== undefined);
  return other === undefined
    ? tellEstimates(flags, since.value ?? 0)
    : failUsage(`--estimates does not go with --${other}`);
};

export const verb: Verb = listRows({
  name: "usage",
  usage: "nx usage [flags]",
  summary: "what was used: GPU hours, jobs, failures, waits, idle GPUs",
  flags: [
    { long: "since", value: "TIME", default: USUAL_SINCE, help: "since then: 30d (ago), 18:30, 2026-12-01" },
    { long: "by", value: "WHAT", default: "user", choices: USAGE_KEYS, help: "user, name, batch or gpu" },
    { long: "user", short: "u", value: "NAME", help: "only of this user's jobs" },
    { long: "estimates", help: "how often nx add was right about when a job starts" },
    { long: "csv", help: "as CSV, numbers with a point" },
    { long: "json", help: "as JSON" },
  ],
  maxWords: 0,
  examples: ["nx usage", "nx usage --since 7d --by name", "nx usage --csv", "nx usage --estimates"],
  run,
});
