import type { JobRequestInput } from "../../wire/job.ts";
import { maskJobrc } from "../settings/mask-jobrc.ts";

/** What would be sent, without its secrets: of `env` the names alone. */
export const showRequest = (request: JobRequestInput): Readonly<Record<string, unknown>> => ({
  ...request,
  env: Object.keys(request.env ?? {}),
  ...(typeof request.jobrc === "string" ? { jobrc: maskJobrc(request.jobrc) } : {}),
});
