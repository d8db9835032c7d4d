import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { ok } from "../../../base/result.ts";
import { MAX_ARTIFACT_BYTES } from "../../../wire/limits.ts";
import type { ArtifactId } from "../../core/jobs/job.ts";
import { createApp } from "../app.ts";

const SHA = "ABCDEF0123456789abcdef0123456789abcdef01";
const CHUNK = 1 << 20;

const streamOf = (size: number, onPull: () => void = () => {}): ReadableStream<Uint8Array> => {
  let left = size;
  return new ReadableStream({
    pull: (controller) => {
      onPull();
      const part = Math.min(left, CHUNK);
      if (part > 0) controller.enqueue(new Uint8Array(part));
      left -= part;
      if (left <= 0) controller.close();
    },
  });
};

const createRecorder = (fail: () => void = () => undefined) => {
  const { context } = createHarness();
  const calls = { bytes: 0, largest: 0, finished: 0, aborted: 0 };
  const begin = () => ({
    append: async (chunk: Uint8Array) => {
      fail();
      calls.bytes += chunk.byteLength;
      calls.largest = Math.max(calls.largest, chunk.byteLength);
      return ok(undefined);
    },
    finish: async () => {
      calls.finished += 1;
      return ok("art" as ArtifactId);
    },
    abort: async () => {
      calls.aborted += 1;
    },
  });
  const store = { ...context.store, artifacts: { ...context.store.artifacts, begin } };
  const app = createApp({ ...context, store });
  const upload = async (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    app.fetch(
      new Request("http://localhost/v1/artifacts", {
        method: "POST",
        body,
        headers: { host: "localhost", ...headers },
      }),
      {
        address: "::1",
      },
    );
  return { calls, upload };
};

test("an upload is 201 with its id, whatever its type is called", async () => {
  const { call } = createHarness();
  for (const type of ["application/octet-stream", "application/gzip", "text/plain", null]) {
    const response = await call("POST", "/v1/artifacts", {
      body: new Uint8Array([1]),
      headers: { "content-type": type },
    });
    expect([response.status, await response.json()]).toEqual([201, { data: expect.any(String) }]);
  }
});

test("an artifact is found by its commit, in either case", async () => {
  const { call, uploadArtifact } = createHarness();
  const id = await uploadArtifact(new Uint8Array([1]), `?git_sha=${SHA}`);
  for (const sha of [SHA, SHA.toLowerCase()]) {
    const response = await call("GET", `/v1/artifacts/by-sha/${sha}`);
    expect([response.status, await response.json()]).toEqual([200, { exists: true, artifact_id: id }]);
  }
});

test.each(["0000000", "not-a-sha", "a%00", "%ZZ", "x".repeat(100)])("no artifact has the commit %p", async (sha) => {
  const response = await createHarness().call("GET", `/v1/artifacts/by-sha/${sha}`);
  expect([response.status, await response.json()]).toEqual([200, { exists: false, artifact_id: null }]);
});

test.each(["xyz", "abc", "a".repeat(65), ""])("git_sha=%p is 422", async (sha) => {
  const { call, countArtifacts } = createHarness();
  expect((await call("POST", `/v1/artifacts?git_sha=${sha}`, { body: "tar" })).status).toBe(422);
  expect(countArtifacts()).toBe(0);
});

test("an empty artifact is 400 and leaves nothing", async () => {
  const { calls, upload } = createRecorder();
  for (const body of [null, new Uint8Array(), streamOf(0)]) {
    const response = await upload(body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: "INVALID_REQUEST" }]);
  }
  expect(calls).toMatchObject({ bytes: 0, finished: 0 });
});

test("an artifact of 50 MiB passes in pieces", async () => {
  const { calls, upload } = createRecorder();
  expect((await upload(streamOf(MAX_ARTIFACT_BYTES))).status).toBe(201);
  expect(calls).toEqual({ bytes: MAX_ARTIFACT_BYTES, largest: CHUNK, finished: 1, aborted: 0 });
});

test("a byte too many is 400, and no more is read than that", async () => {
  const { calls, upload } = createRecorder();
  let pulls = 0;
  const response = await upload(
    streamOf(MAX_ARTIFACT_BYTES * 4, () => {
      pulls += 1;
    }),
  );
  expect([response.status, await response.json()]).toMatchObject([400, { error: "INVALID_REQUEST" }]);
  expect(calls).toMatchObject({ finished: 0, aborted: 1 });
  expect(pulls).toBeLessThan(60);
  const exact = await upload(streamOf(MAX_ARTIFACT_BYTES + 1));
  expect(exact.status).toBe(400);
});

test("a declared size that is too large is refused before a byte is read", async () => {
  const { calls, upload } = createRecorder();
  const response = await upload("tar", { "content-length": String(MAX_ARTIFACT_BYTES + 1) });
  expect(response.status).toBe(400);
  expect(calls).toMatchObject({ bytes: 0, finished: 0 });
});

test("a body that breaks off is aborted", async () => {
  const { calls, upload } = createRecorder();
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulls += 1;
      if (pulls === 1) controller.enqueue(new Uint8Array(5));
      else controller.error(new Error("gone"));
    },
  });
  expect((await upload(body)).status).toBe(400);
  expect(calls).toMatchObject({ finished: 0, aborted: 1 });
});

test("an upload that fails by a fault is aborted, and no more is read", async () => {
  const { calls, upload } = createRecorder(() => {
    throw new Error("a defect");
  });
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(5)),
    cancel: () => {
      isCancelled = true;
    },
  });
  expect((await upload(body)).status).toBe(503);
  expect([calls, isCancelled]).toEqual([{ bytes: 0, largest: 0, finished: 0, aborted: 1 }, true]);
});
