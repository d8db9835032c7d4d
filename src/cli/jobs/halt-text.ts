import { escapeText } from "../../base/escape-text.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { hint } from "../terminal/output.ts";

/** What keeps every job from starting, and what to do; null while nothing does. */
export const describeHalt = ({ disk_error, machine_error }: ServerStatus): string | null => {
  const reason = disk_error ?? machine_error;
  return reason === undefined ? null : `nothing starts: ${escapeText(reason)}`;
};

export const warnOfHalt = async (api: Api): Promise<void> => {
  const status = await api.get<ServerStatus>("/v1/server/status");
  const halt = status.ok ? describeHalt(status.value) : null;
  if (halt !== null) hint(`Warning: ${halt}`);
};
