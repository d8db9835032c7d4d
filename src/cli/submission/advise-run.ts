import { addHint, WRONG_USAGE } from "../../command-line/usage.ts";
import type { WireGpu } from "../../wire/gpu.ts";
import type { Api } from "../connection/api-client.ts";
import type { ApiFailure } from "../connection/api-failure.ts";
import type { JobOptions } from "./job-options.ts";

type Need = Readonly<{ gpus: readonly WireGpu[]; idxs: readonly number[] | null; count: number }>;

const canEverRun = ({ gpus, idxs, count }: Need): boolean => {
  const known = gpus.map(({ index }) => index);
  return gpus.length === 0 || (idxs === null ? count <= known.length : idxs.every((index) => known.includes(index)));
};

const isUnused = ({ running_job_id: id, process_count: processes, fault, unseen_use: use }: WireGpu): boolean =>
  id === null && processes === 0 && !fault && !use;

const isHeldByBlacklist = ({ gpus, idxs, count }: Need): boolean => {
  const unused = gpus.filter((gpu) => isUnused(gpu) && (idxs === null || idxs.includes(gpu.index)));
  return unused.length >= count && unused.filter((gpu) => !gpu.is_blacklisted).length < count;
};

/** What to do about a job that can't start now; a refusal that has another reason is left as it is. */
export const adviseRun = async (api: Api, options: JobOptions, refusal: ApiFailure): Promise<ApiFailure> => {
  if (refusal.code !== "GPU_ERROR") return refusal;
  const answer = await api.get<readonly WireGpu[]>("/v1/gpus");
  const { gpu_idxs: idxs = null, num_gpus: count = 1 } = options;
  const need = { gpus: answer.ok ? answer.value : [], idxs, count };
  if (!canEverRun(need)) return { ...refusal, exitCode: WRONG_USAGE };
  const listed = isHeldByBlacklist(need) ? addHint(refusal, "-f takes what is blacklisted") : refusal;
  const withoutInput = options.input_artifact_id ? ", which takes no standard input" : "";
  return addHint(listed, `queue it with: nx add …${withoutInput}`);
};
