import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";

const post = (json: unknown) => createHarness().call("POST", "/v1/notifications/test", { json });

test("a test of one channel sends a message now, with the variables given, and tells what came back", async () => {
  const response = await post({ channel: "discord", env: { DISCORD_USER_ID: "42" } });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual([
    {
      channel: "discord",
      delivered: true,
      message: null,
      reference: "discord completed of test for 42",
      seconds: 1,
    },
  ]);
});

test("a test without a channel tries all that the server names, and tells why one failed", async () => {
  const results = (await (await post({})).json()) as readonly { channel: string; message: string | null }[];
  expect(results.map(({ channel, message }) => [channel, message])).toEqual([
    ["team", null],
    ["broken", "Slack answered 404: no_service"],
  ]);
});

test.each(["nosuch", "constructor"])("channel %p is not there", async (channel) => {
  const response = await post({ channel });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    error: "NOT_FOUND",
    message: `There is no channel ${channel}; there are: discord, team, broken`,
  });
});

test("a removed job is counted in its batch, a job alone has none", async () => {
  const { call, store, submit } = createHarness();
  const json = ["a", "b", "c"].map((job_id) => ({ job_id, command: "true", user: "ann" }));
  expect((await call("POST", "/v1/jobs/batch", { json })).status).toBe(201);
  expect((await call("DELETE", "/v1/jobs/b")).status).toBe(204);
  const [job] = store.loadQueuedJobs();
  expect(store.outbox.findBatch(job?.batchId ?? "")).toMatchObject({ total: 3, removed: 1, failed: 0 });
  const { id } = await submit();
  expect(store.loadQueuedJobs().find((queued) => queued.id === id)).not.toHaveProperty("batchId");
});
