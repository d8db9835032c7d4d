import { escapeText } from "../../base/escape-text.ts";
import type { WireDrain } from "../../wire/drain/drain.ts";
import type { ServerStatus } from "../../wire/node.ts";
import type { Api } from "../connection/api-client.ts";
import { formatMoment } from "../terminal/clock.ts";
import { hint } from "../terminal/output.ts";

const describeDrain = ({ by, since, until, why }: WireDrain): string => {
  const end = until === null ? "" : ` until ${formatMoment(until)}`;
  return `the server is drained by ${by} since ${formatMoment(since)}${end}${why === null ? "" : `: ${why}`}`;
};

/** What keeps every job from starting, and what to do; null while nothing does. */
export const describeHalt = ({ drain, disk_error, machine_error }: ServerStatus): string | null => {
  const reason = drain ? describeDrain(drain) : (disk_error ?? machine_error);
  return reason === undefined ? null : `nothing starts: ${escapeText(reason)}`;
};

/** Why GPU jobs wait though others start; null where they need not. */
export const describeGpuTrouble = ({ gpu_error: error }: ServerStatus): string | null =>
  error === null ? null : `the GPUs can't be read, so GPU jobs wait: ${escapeText(error)}`;

/** Of each thing that somebody should see to before jobs start again. */
export const warnOfTrouble = async (api: Api): Promise<void> => {
  const status = await api.get<ServerStatus>("/v1/server/status");
  if (!status.ok) return;
  for (const trouble of [describeHalt(status.value), describeGpuTrouble(status.value)])
    if (trouble !== null) hint(`Warning: ${trouble}`);
};

export const warnOfHalt = async (api: Api): Promise<void> => {
  const status = await api.get<ServerStatus>("/v1/server/status");
  const halt = status.ok ? describeHalt(status.value) : null;
  if (halt !== null) hint(`Warning: ${halt}`);
};
