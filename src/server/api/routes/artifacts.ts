import { z } from "zod";
import { artifactCheckSchema, artifactUploadSchema } from "../../../wire/artifact.ts";
import type { ApiContext, AppRequest } from "../context.ts";
import { startBodyDeadline } from "../http/body-deadline.ts";
import { respondRefusal } from "../http/error-response.ts";
import { artifactQuerySchema, readQuery } from "../http/query.ts";
import { receiveArtifact } from "../http/receive-artifact.ts";
import { describeErrors, describeJson, type Route, type RouteSpec } from "../route.ts";

const GIT_SHA = /^[0-9a-f]{4,64}$/;

const uploadSpec: RouteSpec = {
  method: "post",
  path: "/v1/artifacts",
  tags: ["artifacts"],
  summary: "Upload a tar of the files of a job",
  description: "Plain, gzip or zstd tar, 1 to 52 428 800 bytes.",
  request: {
    query: artifactQuerySchema,
    body: {
      required: true,
      content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } },
    },
  },
  responses: {
    201: describeJson("The id of the artifact", artifactUploadSchema),
    ...describeErrors("INVALID_REQUEST", "REQUEST_TIMEOUT", "VALIDATION_ERROR"),
  },
};

const checkSpec: RouteSpec = {
  method: "get",
  path: "/v1/artifacts/by-sha/{git_sha}",
  tags: ["artifacts"],
  summary: "Whether the artifact of a commit is there",
  request: { params: z.object({ git_sha: z.string() }) },
  responses: { 200: describeJson("Its id, or null", artifactCheckSchema) },
};

const upload =
  ({ store, settings }: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const query = readQuery(request, artifactQuerySchema);
    if (!query.ok) return respondRefusal(query.error);
    const deadline = startBodyDeadline(settings.limits.bodyTimeout);
    const gitSha = query.value.git_sha?.toLowerCase() ?? null;
    const received = await receiveArtifact(request.req.raw, deadline, () => store.artifacts.begin(gitSha));
    return received.ok ? Response.json({ data: received.value }, { status: 201 }) : respondRefusal(received.error);
  };

const check =
  ({ store }: ApiContext) =>
  async (request: AppRequest): Promise<Response> => {
    const gitSha = request.req.param("git_sha")?.toLowerCase() ?? "";
    const id = GIT_SHA.test(gitSha) ? await store.artifacts.findBySha(gitSha) : null;
    return Response.json({ exists: id !== null, artifact_id: id });
  };

export const createArtifactRoutes = (context: ApiContext): readonly Route[] => [
  { spec: uploadSpec, asks: "contribute", seat: "upload", handle: upload(context) },
  { spec: checkSpec, handle: check(context) },
];
