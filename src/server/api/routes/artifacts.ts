import { z } from "zod";
import { ok } from "../../../base/result.ts";
import { artifactCheckSchema, artifactUploadSchema } from "../../../wire/artifact.ts";
import { countAsker } from "../access/count-by.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors, describeJson } from "../http/describe-response.ts";
import { artifactQuerySchema } from "../http/query.ts";
import { artifactBody, receiveArtifact } from "../http/receive-artifact.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const GIB = 1024 ** 3;
const GIT_SHA = /^[0-9a-f]{4,64}$/;

const uploadSpec = {
  method: "post",
  path: "/v1/artifacts",
  tags: ["artifacts"],
  summary: "Upload a tar of the files of a job",
  description: "Plain, gzip or zstd tar, 1 to 52 428 800 bytes.",
  asks: "contribute",
  seat: "upload",
  query: artifactQuerySchema,
  body: artifactBody,
  responses: {
    201: describeJson("The id of the artifact", artifactUploadSchema),
    ...describeErrors("INVALID_REQUEST", "LIMIT_REACHED", "REQUEST_TIMEOUT", "VALIDATION_ERROR"),
  },
} satisfies RouteSpec;

const checkSpec = {
  method: "get",
  path: "/v1/artifacts/by-sha/{git_sha}",
  tags: ["artifacts"],
  summary: "Whether who asks has sent the artifact of a tree, and it is still there",
  params: { git_sha: { schema: z.string().toLowerCase() } },
  responses: { 200: describeJson("Its id, or null", artifactCheckSchema) },
} satisfies RouteSpec;

const upload =
  ({ store, settings }: ApiContext): Handle<typeof uploadSpec> =>
  async ({ request, query, body }) => {
    const share = { owner: countAsker(request), maxBytes: settings.maxWaitingGib * GIB };
    const received = await receiveArtifact(body, store.artifacts.begin(query.git_sha ?? null, share));
    return received.ok ? ok(Response.json({ data: received.value }, { status: 201 })) : received;
  };

const check =
  ({ store }: ApiContext): Handle<typeof checkSpec> =>
  async ({ request, params }) => {
    const { git_sha: sha } = params;
    const id = GIT_SHA.test(sha) ? await store.artifacts.findBySha(sha, countAsker(request)) : null;
    return ok(Response.json({ exists: id !== null, artifact_id: id }));
  };

export const createArtifactRoutes = (context: ApiContext): readonly Route[] => [
  defineRoute(uploadSpec, upload(context)),
  defineRoute(checkSpec, check(context)),
];
