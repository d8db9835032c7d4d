import type { Invocation, Outcome, Verb } from "../../command-line/command.ts";
import { ACTION_FLAGS } from "../jobs/act-on-jobs.ts";
import { holdJobs } from "../jobs/hold-jobs.ts";

const run = (invocation: Invocation): Promise<Outcome> =>
  holdJobs(invocation, { verb: "hold", done: "held", held: true });

export const verb: Verb = {
  name: "hold",
  usage: "nx hold [flags] @BATCH, ID, name or regex…",
  summary: "keep queued jobs from starting, where they are in the queue",
  flags: ACTION_FLAGS,
  examples: ["nx hold k3f9ab", "nx hold -y 'train.*lr 0.1'"],
  run,
};
