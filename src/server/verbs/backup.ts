import { setPriority } from "node:os";
import { resolve } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { convertProblem, fail } from "../../command-line/usage.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { prepareBackupPath } from "../external/sqlite/beside-server/backup-folder.ts";
import { writeBackup } from "../external/sqlite/beside-server/write-backup.ts";
import { becomeOwner } from "./become-owner.ts";

const LOW_PRIORITY = 10;
const HINT = `It holds the key of the jobs' environments: keep it as safe as the server's folder.
Of the code it holds that of waiting and running jobs; the code and files of ended jobs stay in the server's folder.
`;

const choosePath = (serverDir: string, output: string | null, madeAt: number): string =>
  output === null ? prepareBackupPath(serverDir, madeAt) : resolve(output);

const makeBackup = (serverDir: string, output: string | null): Result<string, Failure> => {
  const madeAt = Math.floor(Date.now() / 1000);
  try {
    setPriority(LOW_PRIORITY);
    const path = choosePath(serverDir, output, madeAt);
    const written = convertProblem(writeBackup({ serverDir, path, madeAt }));
    return written.ok ? ok(path) : written;
  } catch (error) {
    return fail(describeError(error));
  }
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  const serverDir = resolve(settings.value.serverDir);
  becomeOwner(serverDir);
  const path = makeBackup(serverDir, readText(flags, "output"));
  if (!path.ok) return path;
  process.stdout.write(`${path.value}\n`);
  process.stderr.write(HINT);
  return DONE;
};

/** Leaves the processor to jobs and to the server. */
export const verb: Verb = {
  name: "backup",
  usage: "nexus-server backup [--output FILE]",
  summary: "copy its state, also while it runs",
  flags: [{ long: "output", value: "FILE", help: "default: a new one in backups in the server folder" }],
  maxWords: 0,
  examples: ["nexus-server backup", "nexus-server backup --output /mnt/nexus.db"],
  run,
};
