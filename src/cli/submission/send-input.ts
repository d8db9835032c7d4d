import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import type { ArtifactUpload } from "../../wire/artifact.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import type { Api } from "../connection/api-client.ts";

type InputField = Pick<JobRequestInput, "input_artifact_id">;

const BYTES = "application/octet-stream";

/** Leaves it with the server, for a request to name. */
export const sendInput = async (
  api: Api,
  input: Uint8Array<ArrayBuffer> | null,
): Promise<Result<InputField, Failure>> => {
  if (input === null) return ok({});
  const sent = await api.upload<ArtifactUpload>("/v1/artifacts", new Blob([input]), BYTES);
  return sent.ok ? ok({ input_artifact_id: sent.value.data }) : sent;
};
