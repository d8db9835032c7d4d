import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { ACTION_FLAGS } from "../jobs/act-on-jobs.ts";
import { holdJobs } from "../jobs/hold-jobs.ts";

const run = (invocation: Invocation): Promise<Outcome> =>
  holdJobs(invocation, { verb: "release", done: "released", held: false });

export const verb: Verb = {
  name: "release",
  usage: "nx release [flags] @BATCH, ID, name or regex…",
  summary: "let held jobs start",
  flags: ACTION_FLAGS,
  examples: ["nx release k3f9ab"],
  run,
};
