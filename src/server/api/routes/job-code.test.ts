import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createHarness } from "../../../../tests/support/api.ts";

const CODE = randomBytes(1_300_000);

test.each(["waits", "runs", "has ended"])("the code of a job that %s is given as it was sent", async (state) => {
  const { call, endJob, startJob, submit, uploadArtifact } = createHarness();
  const { id } = await submit({ artifact_id: await uploadArtifact(CODE) });
  if (state === "runs") await startJob(id);
  if (state === "has ended") await endJob(id);
  const response = await call("GET", `/v1/jobs/${id}/code`);
  expect(response.headers.get("content-length")).toBe(String(CODE.length));
  expect(CODE.equals(new Uint8Array(await response.arrayBuffer()))).toBe(true);
});

test("no browser takes code for a page of the server's", async () => {
  const { call, submit, uploadArtifact } = createHarness();
  const { id } = await submit({ artifact_id: await uploadArtifact(Buffer.from("<script>alert(1)</script>")) });
  const { headers } = await call("GET", `/v1/jobs/${id}/code`);
  expect(headers.get("content-type")).toBe("application/octet-stream");
  expect(headers.get("content-disposition")).toBe(`attachment; filename="${id}.tar"`);
  expect(headers.get("content-security-policy")).toBe("sandbox");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

test("who may read a job's log may read its code, and nobody else", async () => {
  const { addToken, call, submit, uploadArtifact } = createHarness();
  const { id } = await submit({ artifact_id: await uploadArtifact(CODE) });
  const token = addToken("eve", "viewer");
  for (const path of ["logs", "code"]) {
    const ask = (headers: Record<string, string>) =>
      call("GET", `/v1/jobs/${id}/${path}`, { peer: "192.0.2.1", headers });
    expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await ask({})).status).toBe(401);
  }
});

test("code that is no longer there, and that of a job without, is not found; what was just given stays a while", async () => {
  const { call, context, endJob, store, submit, uploadArtifact } = createHarness();
  const [gone, without] = [await submit({ artifact_id: await uploadArtifact(CODE) }), await submit()];
  await endJob(gone.id);
  const read = async (id: string) => {
    const response = await call("GET", `/v1/jobs/${id}/code`);
    return response.ok ? response.status : [response.status, await response.json()];
  };
  const cleanAfter = async (seconds: number) => {
    for (let waited = 0; waited < seconds; waited += 1) context.clock();
    await store.artifacts.deleteUnused({ expiry: Number.POSITIVE_INFINITY, maxBytes: 0 });
  };
  await cleanAfter(500);
  expect(await read(gone.id)).toBe(200);
  await cleanAfter(500);
  expect(await read(gone.id)).toBe(200);
  await cleanAfter(700);
  const refuse = (message: string) => [404, { error: "ARTIFACT_NOT_FOUND", message, status_code: 404 }];
  expect(await read(gone.id)).toEqual(refuse(`The code of job ${gone.id} is no longer kept`));
  expect(await read(without.id)).toEqual(refuse(`Job ${without.id} was sent without code`));
  expect(await read("nothing")).toMatchObject([404, { error: "JOB_NOT_FOUND" }]);
  const again = await call("POST", "/v1/jobs", {
    json: { command: "true", user: "ann", artifact_id: gone.artifact_id },
  });
  expect(await again.json()).toMatchObject({ error: "ARTIFACT_NOT_FOUND" });
});
