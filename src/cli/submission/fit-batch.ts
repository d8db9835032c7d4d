import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import type { JobRequestInput } from "../../wire/job.ts";

type Requests = readonly JobRequestInput[];

const isLimited = ({ batch_max: max = null }: JobRequestInput): boolean => max !== null;

/** The requests: a single one is no batch, so that a default of it is left out there, and a flag refused. */
export const fitBatch = (requests: Requests, given: FlagValues): Result<Requests, Failure> => {
  const [only, ...others] = requests;
  if (only === undefined || others.length > 0 || !isLimited(only)) return ok(requests);
  return given["max-parallel"] === undefined
    ? ok([{ ...only, batch_max: null }])
    : failUsage("--max-parallel is for several jobs, and this makes one");
};
