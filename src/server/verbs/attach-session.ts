import { isatty } from "node:tty";
import { err, ok, type Result } from "../../base/result.ts";
import type { Job, RunningJob } from "../core/jobs/job.ts";
import { parseAttachRequest } from "../core/running/attach-request.ts";
import { openSession } from "../external/screen/open-session.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { findStoredJob } from "../external/sqlite/beside-server/server-folder.ts";
import type { Mistake, ServerVerb } from "../server-verb.ts";

const requireRunning = (job: Job | null, id: string, owner: unknown): Result<RunningJob, Mistake> => {
  if (job === null) return err({ message: `there is no job ${id}` });
  if (owner !== undefined && job.user !== owner)
    return err({
      message: `job ${id} is of ${JSON.stringify(job.user)}: this key attaches to jobs of ${JSON.stringify(owner)}`,
    });
  if (job.status === "running") return ok(job);
  return err({ message: `job ${id} is ${job.status}: only a running job has a terminal` });
};

/** What a registered key's line runs: it opens the terminal of the job that the SSH client names, and does nothing else. */
export const runAttachSession: ServerVerb["run"] = async ({ flags }) => {
  const id = parseAttachRequest(process.env["SSH_ORIGINAL_COMMAND"] ?? "");
  if (!id.ok) return id;
  const settings = loadSettings(flags);
  if (!settings.ok) return settings;
  const job = requireRunning(findStoredJob(settings.value.serverDir, id.value), id.value, flags["user"]);
  if (!job.ok) return job;
  if (!isatty(0) || !isatty(1)) return err({ message: "a job's terminal needs one here: ssh -t" });
  const opened = openSession(job.value.handle, process.env["TERM"] ?? "");
  return opened.ok ? opened : err({ message: `job ${id.value} can't be shown: ${opened.error.message}` });
};
