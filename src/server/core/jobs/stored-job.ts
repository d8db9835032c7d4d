import { NO_OUTPUTS, UNKNOWN_CODE } from "./job.ts";

/** A job as it was written down, maybe by an earlier version, whose jobs had not all fields: it gets those as they would be for it now. */
export const completeStored = (stored: object): object => ({
  code: UNKNOWN_CODE,
  outputGlobs: null,
  links: [],
  notes: [],
  ...("completedAt" in stored ? { outputs: NO_OUTPUTS } : {}),
  ...stored,
});
