import { NOT_CONFIRMED, type Trouble, WRONG_ARGUMENTS } from "./ask.ts";
import type { Facts } from "./tool.ts";

const HINTS: Readonly<Record<string, string>> = {
  [WRONG_ARGUMENTS]: "Call it again with arguments that its schema allows",
  [NOT_CONFIRMED]: "Look at this preview, then call again with the same arguments and its confirm",
  NOT_LISTENING: "Ask the user to start the server, or to choose another with: nx target NAME",
  UNTRUSTED: "Ask the user to look at the target with: nx target list",
  OTHER_VERSION: "Ask the user to upgrade the older of the two",
  AUTHENTICATION_REQUIRED: "Ask the user for a token of this server: nx target add",
  INVALID_CREDENTIALS: "Ask the user for a new token of this server: nx target add",
  FORBIDDEN: "Leave it, or ask the user to do it: your role does not allow it",
  JOB_NOT_FOUND: "Find the job's id with jobs",
  INVALID_JOB_STATE: "See where the job stands with wait and timeout 0",
  ARTIFACT_NOT_FOUND: "Its code is no longer kept: send it anew with submit",
  LIMIT_REACHED: "Wait for jobs of yours to end with wait, or take some out with cancel; usage says what is left",
  VALIDATION_ERROR: "Change what the message names",
  GPU_ERROR: "Ask why with status",
  TOO_MANY_REQUESTS: "Let earlier calls end, then call again",
  UNAVAILABLE: "Call again in a minute",
  FAILED: "Call again in a minute; if it stays so, tell the user",
  NOT_FOUND: "The server is older than this tool: ask the user to upgrade it",
};

/** What went wrong, and what to do. */
export const describeTrouble = ({ code, message, hint: own, facts }: Trouble): Facts => {
  const error = code ?? "FAILED";
  const hint = own ?? HINTS[error];
  return { error, message, ...(hint === undefined ? {} : { hint }), ...facts };
};
