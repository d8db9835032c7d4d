import { resolve } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import { convertProblem, fail } from "../../command-line/usage.ts";
import { formatMinute } from "../../wire/outputs-text.ts";
import type { Settings } from "../core/settings/settings.ts";
import { type FolderRemoval, toRetention, type Warning } from "../core/upkeep/folder-plan.ts";
import { createJobFolders } from "../external/job-folder/folder-sizes.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { listBackupTimes } from "../external/sqlite/beside-server/backup-folder.ts";
import { openEnds } from "../external/sqlite/beside-server/open-ends.ts";
import { type CleaningPlan, planCleaning } from "../tasks/upkeep/plan-cleaning.ts";
import { becomeOwner } from "./become-owner.ts";

const BYTES_PER_MB = 1_000_000;
const MB_PER_GB = 1000;

const formatBytes = (bytes: number): string => {
  const mb = bytes / BYTES_PER_MB;
  return mb < MB_PER_GB ? `${mb.toFixed(1)} MB` : `${(mb / MB_PER_GB).toFixed(1)} GB`;
};

const describeFolder = ({ id, endedAt, bytes, keepsOutputs }: FolderRemoval): string =>
  `${id}  ended ${new Date(endedAt * 1000).toISOString().slice(0, 10)}  ${formatBytes(bytes)}${keepsOutputs ? ", but for the files that it made" : ""}\n`;

const summarise = (
  removals: readonly FolderRemoval[],
  { isDry, isLater }: Readonly<{ isDry: boolean; isLater: boolean }>,
): string => {
  const bytes = removals.reduce((sum, removal) => sum + removal.bytes, 0);
  const folders = removals.length === 1 ? "the folder of 1 ended job" : `the folders of ${removals.length} ended jobs`;
  if (removals.length === 0) return isLater ? "Nothing goes now.\n" : "Nothing is old enough to go.\n";
  return `${isDry ? "Would free" : "Freed"} ${formatBytes(bytes)}: ${folders}. The history keeps them.\n`;
};

const describeWarning = ({ id, until, bytes }: Warning, rest: string): string =>
  `${id}  its files, ${formatBytes(bytes)}, go on ${formatMinute(until)} at the earliest: ${rest}\n`;

const listLines = (done: readonly FolderRemoval[], { warnings, warned }: CleaningPlan): readonly string[] => [
  ...done.map(describeFolder),
  ...warnings.map((warning) => describeWarning(warning, "the server tells their owner first")),
  ...warned.map((warning) => describeWarning(warning, "their owner was told")),
];

const plan = async (settings: Settings): Promise<Result<CleaningPlan, Failure>> => {
  const serverDir = resolve(settings.serverDir);
  const ends = convertProblem(openEnds(serverDir));
  if (!ends.ok) return ends;
  try {
    const retention = toRetention(settings);
    const backups = { listTimes: () => listBackupTimes(serverDir) };
    const cleaning = { folders: createJobFolders(serverDir), backups, retention, findEnd: ends.value.findEnd };
    return ok(await planCleaning(cleaning, Date.now() / 1000));
  } catch (error) {
    return fail(describeError(error));
  } finally {
    ends.value.close();
  }
};

const clear = async (serverDir: string, removals: readonly FolderRemoval[]): Promise<readonly FolderRemoval[]> => {
  const folders = createJobFolders(resolve(serverDir));
  const cleared: FolderRemoval[] = [];
  for (const removal of removals) {
    try {
      await folders.clear(removal.id, removal.keepsRecord, removal.keepsOutputs);
      cleared.push(removal);
    } catch (error) {
      process.stderr.write(`nexus-server: the folder of job ${removal.id} stays: ${describeError(error)}\n`);
    }
  }
  return cleared;
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  becomeOwner(resolve(settings.value.serverDir));
  const planned = await plan(settings.value);
  if (!planned.ok) return planned;
  const isDry = readSwitch(flags, "dry-run");
  const { removals, warnings, warned } = planned.value;
  const done = isDry ? removals : await clear(settings.value.serverDir, removals);
  process.stdout.write(
    listLines(done, planned.value).join("") + summarise(done, { isDry, isLater: warnings.length + warned.length > 0 }),
  );
  return ok(done.length === removals.length ? 0 : 1);
};

/** Touches ended jobs only, which never begin again, so a server may run beside it. */
export const verb: Verb = {
  name: "clean",
  usage: "nexus-server clean [--dry-run]",
  summary: "remove old jobs' folders now",
  flags: [{ long: "dry-run", help: "say what would be done, and do nothing" }],
  maxWords: 0,
  examples: ["nexus-server clean --dry-run", "nexus-server clean"],
  run,
};
