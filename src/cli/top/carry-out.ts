import type { Result } from "../../shared/result.ts";
import type { Api, ApiFailure } from "../api-client.ts";
import type { Effect } from "./actions.ts";

type Change = Extract<Effect, { id: string }>;

const send = (api: Api, change: Change): Promise<Result<unknown, ApiFailure>> => {
  const path = `/v1/jobs/${encodeURIComponent(change.id)}`;
  switch (change.kind) {
    case "kill":
      return api.send("POST", `${path}/kill`);
    case "remove":
      return api.send("DELETE", path);
    case "prioritise":
      return api.send("PATCH", path, { priority: change.priority });
  }
};

const describeDone = (change: Change): string => {
  switch (change.kind) {
    case "kill":
      return `Job ${change.id} is being killed.`;
    case "remove":
      return `Job ${change.id} is removed.`;
    case "prioritise":
      return `Job ${change.id} has priority ${change.priority}.`;
  }
};

/** What came of it, in one line. */
export const carryOut = async (api: Api, change: Change): Promise<string> => {
  const sent = await send(api, change);
  return sent.ok ? describeDone(change) : sent.error.message;
};
