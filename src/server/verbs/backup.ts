import { setPriority } from "node:os";
import { resolve } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { prepareBackupPath } from "../external/sqlite/beside-server/backup-folder.ts";
import { writeBackup } from "../external/sqlite/beside-server/write-backup.ts";
import type { Mistake, ServerVerb } from "../server-verb.ts";
import { becomeOwner } from "./become-owner.ts";

const LOW_PRIORITY = 10;
const SECRET_HINT = "It holds the key of the jobs' environments: keep it as safe as the server's folder.\n";

const choosePath = (serverDir: string, output: unknown, madeAt: number): string =>
  typeof output === "string" ? resolve(output) : prepareBackupPath(serverDir, madeAt);

const makeBackup = (serverDir: string, output: unknown): Result<string, Mistake> => {
  const madeAt = Math.floor(Date.now() / 1000);
  try {
    setPriority(LOW_PRIORITY);
    const path = choosePath(serverDir, output, madeAt);
    const written = writeBackup({ serverDir, path, madeAt });
    return written.ok ? ok(path) : written;
  } catch (error) {
    return err({ message: describeError(error) });
  }
};

/** Leaves the processor to jobs and to the server. */
export const runBackup: ServerVerb["run"] = async ({ flags }) => {
  const settings = loadSettings(flags);
  if (!settings.ok) return settings;
  const serverDir = resolve(settings.value.serverDir);
  becomeOwner(serverDir);
  const path = makeBackup(serverDir, flags["output"]);
  if (!path.ok) return path;
  process.stdout.write(`${path.value}\n`);
  process.stderr.write(SECRET_HINT);
  return ok(0);
};
