import { withinLimit } from "../../tools/within-limit.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import type { WireJob, WireStatus } from "../../wire/job.ts";
import type { WireReservation } from "../../wire/reservations/reservation.ts";
import { type Api, createApi } from "../connection/api-client.ts";
import { readConfig } from "../settings/config-file.ts";
import { resolveTarget } from "../targets/resolve-target.ts";
import { LOCAL, listEntries, standBack } from "../targets/target.ts";

/** `about` is shown beside the value by shells that can. */
export type Candidate = Readonly<{ value: string; about: string }>;

/** What may stand in a place of the command line. */
export type Source = "targets" | "gpus" | "running" | "queued" | "ended" | "reservations" | readonly string[];

const LIMIT_MS = 700;
const MOST_JOBS = 50;
const STATUSES: Readonly<Record<"running" | "queued" | "ended", readonly WireStatus[]>> = {
  running: ["running"],
  queued: ["queued"],
  ended: ["completed", "failed", "killed"],
};

const ask = async <Value>(api: Api, path: string): Promise<readonly Value[]> => {
  const answer = await withinLimit(api.get<readonly Value[]>(path), LIMIT_MS);
  return answer?.ok === true ? answer.value : [];
};

const listTargets = async (): Promise<readonly Candidate[]> => {
  const config = await readConfig();
  const entries = config.ok ? Object.entries(listEntries(config.value)) : [];
  return [
    { value: LOCAL, about: "this machine" },
    ...entries.map(([value, entry]) => ({ value, about: String(entry["host"] ?? "") })),
  ];
};

const listGpus = async (api: Api): Promise<readonly Candidate[]> =>
  (await ask<WireGpu>(api, "/v1/gpus")).map((gpu) => ({
    value: String(gpu.index),
    about: gpu.running_job_id === null ? gpu.name : `${gpu.name}, job ${gpu.running_job_id}`,
  }));

const listReservations = async (api: Api): Promise<readonly Candidate[]> =>
  (await ask<WireReservation>(api, "/v1/reservations")).map(({ id, gpu_idxs, user }) => ({
    value: id,
    about: `GPU ${gpu_idxs.join(", ")}, reserved for ${user}`,
  }));

const listJobs = async (api: Api, source: keyof typeof STATUSES): Promise<readonly Candidate[]> => {
  const statuses = STATUSES[source].map((status) => `status=${status}`).join("&");
  const jobs = await ask<WireJob>(api, `/v1/jobs?${statuses}&limit=${MOST_JOBS}`);
  return jobs.map((job) => ({ value: job.id, about: `${job.status}: ${job.command}` }));
};

const connectQuietly = async (target: string | null): Promise<Api | null> => {
  const resolved = await resolveTarget(target === null ? {} : { target });
  return resolved.ok ? createApi(standBack({ ...resolved.value, ssh: null })) : null;
};

/** Of the server only what it says at once; nothing where it is away. */
export const listCandidates = async (source: Source, target: string | null): Promise<readonly Candidate[]> => {
  if (typeof source !== "string") return source.map((value) => ({ value, about: "" }));
  if (source === "targets") return listTargets();
  const api = await connectQuietly(target);
  if (api === null) return [];
  if (source === "reservations") return listReservations(api);
  return source === "gpus" ? listGpus(api) : listJobs(api, source);
};
