import { setPriority } from "node:os";
import { resolve } from "node:path";
import { describeError } from "../../shared/describe-error.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { prepareBackupPath } from "../external/backup-folder.ts";
import { writeBackup } from "../external/sqlite/write-backup.ts";

type Request = Readonly<{ serverDir: string; output: string | undefined }>;
type Outcome = Result<Readonly<{ stdout: string; stderr: string }>, Readonly<{ message: string }>>;

const LOW_PRIORITY = 10;
const SECRET_HINT = "It holds the key of the jobs' environments: keep it as safe as the server's folder.\n";

const choosePath = (serverDir: string, { output }: Request, madeAt: number): string =>
  output === undefined ? prepareBackupPath(serverDir, madeAt) : resolve(output);

/** Leaves the processor to jobs and to the server. */
export const runBackup = (request: Request): Outcome => {
  const madeAt = Math.floor(Date.now() / 1000);
  const serverDir = resolve(request.serverDir);
  try {
    setPriority(LOW_PRIORITY);
    const path = choosePath(serverDir, request, madeAt);
    const written = writeBackup({ serverDir, path, madeAt });
    return written.ok ? ok({ stdout: `${path}\n`, stderr: SECRET_HINT }) : written;
  } catch (error) {
    return err({ message: describeError(error) });
  }
};
