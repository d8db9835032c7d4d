import { FAILED } from "../../../command-line/usage.ts";
import type { WireError } from "../../../wire/error.ts";
import type { ApiFailure } from "../api-failure.ts";
import { phraseMistakes } from "./mistaken-fields.ts";
import { judgeRefusal, judgeStatus } from "./refusal-kinds.ts";

const UNAVAILABLE = 503;

/** What answers is no server of ours. */
export const describeStranger = ({ status }: Response): ApiFailure => ({
  exitCode: FAILED,
  code: null,
  message: `the server answered ${status}, not as a Nexus server would`,
});

const nameRequest = ({ headers, status }: Response): string | null => {
  const id = headers.get("x-request-id");
  return status === UNAVAILABLE && id !== null ? `request ${id}` : null;
};

/** What an answer says that is none of those wished for. */
export const describeRefusal = async (response: Response): Promise<ApiFailure> => {
  const text = await response.text();
  try {
    const { error, message: whole, hint, detail } = JSON.parse(text) as WireError;
    if (typeof whole !== "string") return describeStranger(response);
    const message = phraseMistakes(detail ?? []) ?? whole;
    const note = nameRequest(response);
    const exitCode = judgeRefusal(error, response.status);
    const told = note === null ? message : `${message} (${note})`;
    return { exitCode, code: error, message: told, ...(hint === undefined ? {} : { hint }) };
  } catch {
    return { ...describeStranger(response), exitCode: judgeStatus(response.status) };
  }
};
