import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { JobId } from "../../core/jobs/job.ts";

test("deliveries of a job are listed oldest first, without secrets, and there are none of an unknown one", async () => {
  const { call, submit, store } = createHarness();
  const { id } = await submit();
  const subject = { kind: "job", jobId: id as JobId } as const;
  const notice = { channel: "discord", destination: "secret address", createdAt: 7, dueAt: 8 };
  await store.write(({ outbox }) => {
    outbox.enqueue([
      { ...notice, subject: { ...subject, event: "started" }, secrets: { URL: "secret address" } },
      { ...notice, subject: { ...subject, event: "completed" }, secrets: { URL: "secret address" } },
    ]);
    outbox.markSending(1);
    outbox.settle(1, { kind: "retry", dueAt: 9, error: "Discord answered 500", isUncertain: true });
  });
  const response = await call("GET", `/v1/jobs/${id}/deliveries`);
  const waiting = { channel: "discord", state: "waiting", created_at: 7, finished_at: null, reference: null };
  expect(await response.json()).toEqual([
    { ...waiting, event: "started", attempts: 1, uncertain: true, next_attempt_at: 9, error: "Discord answered 500" },
    { ...waiting, event: "completed", attempts: 0, uncertain: false, next_attempt_at: 8, error: null },
  ]);
  expect((await call("GET", "/v1/jobs/nosuch/deliveries")).status).toBe(404);
});
