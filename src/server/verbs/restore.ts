import { resolve } from "node:path";
import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { convertProblem, fail } from "../../command-line/usage.ts";
import { readLaunches } from "../external/screen/launch-record.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { findLatestBackup } from "../external/sqlite/beside-server/backup-folder.ts";
import { type Restored, restoreDatabase } from "../external/sqlite/beside-server/restore-database.ts";
import { becomeOwner } from "./become-owner.ts";

const describeTime = (time: number | null): string =>
  time === null ? "a copy of a database" : `made ${new Date(time * 1000).toISOString().slice(0, 19)}Z`;

const describeCounts = ({ counts, launched }: Restored): string =>
  `${counts.queued} queued, ${counts.starting + counts.running} started and ` +
  `${counts.completed + counts.failed + counts.killed} ended jobs` +
  (launched === 0 ? "" : `; ${launched} of the started ones began after the backup, as their folders tell`);

const report = (file: string, restored: Restored): string =>
  [
    `Restored ${file} (${describeTime(restored.madeAt)}): ${describeCounts(restored)}.`,
    ...restored.kept.map((path) => `What was there is kept as ${path}`),
    "When the server starts it finds out what became of the started jobs; none runs again.",
    "Jobs that were queued, edited or removed after the backup are as the backup has them: look at `nx queue`.",
    "Tokens are as the backup has them, too, revoked ones included: look at `nexus-server token list`.",
    "",
  ].join("\n");

const run = async ({ flags, words: [word] }: Invocation): Promise<Outcome> => {
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  const serverDir = resolve(settings.value.serverDir);
  becomeOwner(serverDir);
  const file = word === undefined ? findLatestBackup(serverDir) : resolve(word);
  if (file === null) return fail(`There is no backup in ${serverDir}/backups: name a file`);
  const stamp = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const request = { serverDir, file, stamp, readLaunches: () => readLaunches(serverDir) };
  const restored = convertProblem(restoreDatabase(request));
  if (restored.ok) process.stdout.write(report(file, restored.value));
  return restored.ok ? DONE : restored;
};

export const verb: Verb = {
  name: "restore",
  usage: "nexus-server restore [FILE]",
  summary: "put a backup (the latest) in its place",
  flags: [],
  maxWords: 1,
  examples: ["nexus-server restore", "nexus-server restore /mnt/nexus.db"],
  run,
};
