import { describe, expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { WireJob } from "../../../wire/job.ts";

const LIMITS = { time_limit_s: 7200, warn_s: 300 };
const REMOTE = "10.1.2.3";

describe("a time limit", () => {
  test("is taken with a submission and told in each answer, as null where there is none", async () => {
    const { call, submit } = createHarness();
    const { id } = await submit(LIMITS);
    expect(await (await call("GET", `/v1/jobs/${id}`)).json()).toMatchObject(LIMITS);
    expect(await submit()).toMatchObject({ time_limit_s: null, warn_s: null });
    expect(await submit({ time_limit_s: null, warn_s: null })).toMatchObject({ time_limit_s: null, warn_s: null });
  });

  test.each([0, -1, 1.5, "2h", true, 1e15])("of %p is 422 and named", async (value) => {
    const { call } = createHarness();
    for (const field of Object.keys(LIMITS)) {
      const json = { command: "true", user: "ann", num_gpus: 0, [field]: value };
      const response = await call("POST", "/v1/jobs", { json });
      expect([response.status, JSON.stringify(await response.json())]).toEqual([422, expect.stringContaining(field)]);
    }
  });

  test("of a queued job can be changed and taken away", async () => {
    const { call, submit } = createHarness();
    const { id } = await submit(LIMITS);
    const changed = await call("PATCH", `/v1/jobs/${id}`, { json: { time_limit_s: 60 } });
    expect(await changed.json()).toMatchObject({ time_limit_s: 60, warn_s: 300 });
    const cleared = await call("PATCH", `/v1/jobs/${id}`, { json: { time_limit_s: null, warn_s: null } });
    expect(await cleared.json()).toMatchObject({ time_limit_s: null, warn_s: null });
  });
});

describe("the time limit of a running job", () => {
  const start = async () => {
    const harness = createHarness();
    const { id } = await harness.submit(LIMITS);
    await harness.startJob(id);
    const [ann, root] = [harness.addToken("ann", "user"), harness.addToken("root", "admin")];
    const patch = (token: string, json: object): Promise<Response> =>
      harness.call("PATCH", `/v1/jobs/${id}`, {
        json,
        peer: REMOTE,
        headers: { authorization: `Bearer ${token}` },
      });
    return { harness, id, ann, root, patch };
  };

  test("goes down for its owner, up for an admin alone, and the jobs that run are looked at", async () => {
    const { harness, ann, root, patch } = await start();
    const lowered = await patch(ann, { time_limit_s: 3600 });
    expect([lowered.status, ((await lowered.json()) as WireJob).time_limit_s]).toEqual([200, 3600]);
    expect(harness.wakes().at(-1)).toBe("running");
    for (const more of [7200, null]) {
      const refused = await patch(ann, { time_limit_s: more });
      expect([refused.status, await refused.json()]).toEqual([403, expect.objectContaining({ error: "FORBIDDEN" })]);
    }
    expect((await (await patch(root, { time_limit_s: 9000 })).json()) as WireJob).toMatchObject({ time_limit_s: 9000 });
    expect((await (await patch(root, { time_limit_s: null })).json()) as WireJob).toMatchObject({ time_limit_s: null });
    expect((await patch(ann, { time_limit_s: 60 })).status).toBe(200);
  });

  test("is all of the two that can be changed, and not with what is of a queued job, nor once it has ended", async () => {
    const { harness, id, root, patch } = await start();
    for (const json of [{ warn_s: 60 }, { time_limit_s: 60, priority: 3 }])
      expect((await patch(root, json)).status).toBe(400);
    await harness.endJob(id);
    const ended = await patch(root, { time_limit_s: 60 });
    expect([ended.status, await ended.json()]).toEqual([400, expect.objectContaining({ error: "INVALID_JOB_STATE" })]);
  });

  test("can't be changed any more once it is being ended", async () => {
    const { harness, id, root, patch } = await start();
    await harness.call("POST", `/v1/jobs/${id}/kill`);
    expect((await patch(root, { time_limit_s: 9000 })).status).toBe(400);
  });
});
