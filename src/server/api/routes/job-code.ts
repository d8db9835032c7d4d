import { z } from "zod";
import { err, ok } from "../../../base/result.ts";
import type { Job } from "../../core/jobs/job.ts";
import { createRefusal, type Refusal } from "../../core/refusal.ts";
import type { OpenedArtifact } from "../../core/store.ts";
import type { ApiContext } from "../context.ts";
import { describeErrors } from "../http/describe-response.ts";
import { findJob, jobParams } from "../jobs/find-job.ts";
import { defineRoute, type Handle, type Route, type RouteSpec } from "../route.ts";

const MEDIA_TYPE = "application/octet-stream";

const codeSpec = {
  method: "get",
  path: "/v1/jobs/{id}/code",
  tags: ["jobs"],
  summary: "The code that a job ran",
  description:
    "The tar as it was uploaded. It is kept for `retention_days` after the end of the last job that ran it, within `artifact_gb`.",
  params: jobParams,
  responses: {
    200: {
      description: "The tar",
      content: { [MEDIA_TYPE]: { schema: z.string().meta({ format: "binary" }) } },
    },
    ...describeErrors("JOB_NOT_FOUND", "ARTIFACT_NOT_FOUND"),
  },
} satisfies RouteSpec;

const toStream = (chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const iterator = chunks[Symbol.iterator]();
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const { done, value } = iterator.next();
    if (done) controller.close();
    else controller.enqueue(value);
  };
  return new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
};

const respond = ({ id }: Job, { bytes, chunks }: OpenedArtifact): Response =>
  new Response(toStream(chunks), {
    headers: {
      "Content-Type": MEDIA_TYPE,
      "Content-Length": String(bytes),
      "Content-Disposition": `attachment; filename="${id}.tar"`,
      "Content-Security-Policy": "sandbox",
      "X-Content-Type-Options": "nosniff",
    },
  });

const refuseMissing = ({ id, artifactId }: Job): Refusal => {
  const message = artifactId === null ? `Job ${id} was sent without code` : `The code of job ${id} is no longer kept`;
  return createRefusal("ARTIFACT_NOT_FOUND", message);
};

const show =
  ({ store }: ApiContext): Handle<typeof codeSpec> =>
  async ({ params }) => {
    const found = findJob(store, params.id);
    if (!found.ok) return found;
    const { artifactId } = found.value;
    const opened = artifactId === null ? null : await store.artifacts.open(artifactId);
    return opened === null ? err(refuseMissing(found.value)) : ok(respond(found.value, opened));
  };

export const createJobCodeRoutes = (context: ApiContext): readonly Route[] => [defineRoute(codeSpec, show(context))];
