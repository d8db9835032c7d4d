import { isatty } from "node:tty";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import { convertProblem, fail } from "../../command-line/usage.ts";
import type { Job, RunningJob } from "../core/jobs/job.ts";
import { parseAttachRequest } from "../core/running/attach-request.ts";
import { openSession } from "../external/screen/open-session.ts";
import { loadSettings } from "../external/settings/load-settings.ts";
import { findStoredJob } from "../external/sqlite/beside-server/server-folder.ts";

const requireRunning = (job: Job | null, id: string, owner: string | null): Result<RunningJob, Failure> => {
  if (job === null) return fail(`there is no job ${id}`);
  if (owner !== null && job.user !== owner)
    return fail(`job ${id} is of ${JSON.stringify(job.user)}: this key attaches to jobs of ${JSON.stringify(owner)}`);
  if (job.status === "running") return ok(job);
  return fail(`job ${id} is ${job.status}: only a running job has a terminal`);
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const id = convertProblem(parseAttachRequest(process.env["SSH_ORIGINAL_COMMAND"] ?? ""));
  if (!id.ok) return id;
  const settings = convertProblem(loadSettings(flags));
  if (!settings.ok) return settings;
  const stored = findStoredJob(settings.value.serverDir, id.value);
  const job = requireRunning(stored, id.value, readText(flags, "user"));
  if (!job.ok) return job;
  if (!isatty(0) || !isatty(1)) return fail("a job's terminal needs one here: ssh -t");
  const opened = openSession(settings.value.serverDir, job.value.handle, process.env["TERM"] ?? "");
  return opened.ok ? opened : fail(`job ${id.value} can't be shown: ${opened.error.message}`);
};

/** What a registered key's line runs: it opens the terminal of the job that the SSH client names, and does nothing else. */
export const verb: Verb = {
  name: "attach-session",
  usage: "nexus-server attach-session",
  summary: "all that a registered SSH key may do",
  flags: [{ long: "user", value: "NAME", help: "only to jobs of this name" }],
  maxWords: 0,
  examples: ["SSH_ORIGINAL_COMMAND='attach k3f9ab' nexus-server attach-session"],
  run,
};
