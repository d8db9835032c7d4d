import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createHarness } from "../../../../tests/support/api.ts";
import type { JobId } from "../../core/jobs/job.ts";
import { createUseFiles } from "../../external/job-folder/use/use-files.ts";

const FIGURES = { meanPercent: 40, peakPercent: 90, memoryMib: 800, powerW: null };

test("what a job's GPUs did is told of its attempt, with the time of each span", async () => {
  const { call, submit, startJob, serverDir, store } = createHarness();
  const { id } = await submit();
  const ask = async (query = "") => {
    const answer = await call("GET", `/v1/jobs/${id}/usage${query}`);
    return [answer.status, await answer.json()];
  };
  expect(await ask()).toEqual([200, { id, attempt: 1, spans: [] }]);
  await startJob(id);
  mkdirSync(join(serverDir, "jobs", id), { recursive: true });
  createUseFiles(serverDir).append(id as JobId, [3], { ageS: 20, looks: 1, gpus: [FIGURES] });
  const job = store.findJob(id as JobId);
  const startedAt = job !== null && "startedAt" in job ? (job.startedAt ?? 0) : 0;
  const gpus = [{ index: 3, mean_percent: 40, peak_percent: 90, memory_mib: 800, power_w: null }];
  const told = { id, attempt: 1, spans: [{ at: startedAt + 20, looks: 1, gpus }] };
  expect([await ask(), await ask("?attempt=1")]).toEqual([
    [200, told],
    [200, told],
  ]);
  createUseFiles(serverDir).append(id as JobId, [3], { ageS: 30, looks: 1, gpus: [FIGURES] });
  const [, last] = await ask("?last_n_spans=1");
  expect(last).toMatchObject({ spans: [{ at: startedAt + 30 }] });
  expect((await ask("?attempt=2"))[0]).toBe(404);
  expect((await ask("?attempt=0"))[0]).toBe(422);
});

test("a job without GPUs has none, and one that is not there is 404", async () => {
  const { call, submit, startJob } = createHarness();
  const { id } = await submit({ num_gpus: 0 });
  await startJob(id);
  expect(await (await call("GET", `/v1/jobs/${id}/usage`)).json()).toEqual({ id, attempt: 1, spans: [] });
  const unknown = await call("GET", "/v1/jobs/nothing/usage");
  expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: "JOB_NOT_FOUND" }]);
});
