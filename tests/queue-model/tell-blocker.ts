import type { Blocker } from "../../src/server/core/queue/wait.ts";

/** The word for why a job waits, and when that ends where it is known; null for both where it starts. */
export const tellBlocker = (blocker: Blocker | null): Readonly<{ reason: string | null; until: number | null }> => {
  if (blocker === null) return { reason: null, until: null };
  if (blocker.kind === "gpus_taken") return { reason: blocker.reason, until: blocker.reservedUntil };
  return {
    reason: "reason" in blocker ? blocker.reason : blocker.kind,
    until: "until" in blocker ? blocker.until : null,
  };
};
