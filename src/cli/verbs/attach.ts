import { spawnSync } from "node:child_process";
import type { WireJob } from "../../shared/job.ts";
import { ok } from "../../shared/result.ts";
import { connect } from "../connect.ts";
import { fail, failUsage } from "../failure.ts";
import { findJob } from "../job-selection.ts";
import { hint } from "../output.ts";
import { LOCAL } from "../target.ts";
import { isTerminal } from "../terminal.ts";
import { readUserName } from "../user-name.ts";
import type { Invocation, Outcome, Verb } from "../verb.ts";

const openSession = (job: WireJob): Outcome => {
  if (job.status !== "running" || job.screen_session_name === null)
    return fail(`job ${job.id} is ${job.status}: see its output with nx logs ${job.id}`);
  hint("Detach with Ctrl-A D; the job goes on.");
  const { status, error } = spawnSync("screen", ["-x", job.screen_session_name], { stdio: "inherit" });
  return error === undefined ? ok(status ?? 1) : fail(`screen can't be started: ${error.message}`);
};

const run = async ({ flags, words }: Invocation): Promise<Outcome> => {
  if (words.length > 1) return failUsage("nx attach takes one job id or GPU");
  if (!isTerminal("input")) return failUsage("nx attach needs a terminal; use nx logs -F elsewhere");
  const api = await connect(flags);
  if (!api.ok) return api;
  if (api.value.target.name !== LOCAL) return fail("only jobs of the local server can be attached to; use nx logs -F");
  const job = await findJob(api.value, words[0], readUserName(api.value.target.config));
  return job.ok ? openSession(job.value) : job;
};

export const verb: Verb = {
  name: "attach",
  usage: "nx attach [ID or GPU]",
  summary: "open a job's terminal (default: your newest)",
  flags: [],
  examples: ["nx attach k3f9ab", "nx attach 0"],
  run,
};
