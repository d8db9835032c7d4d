import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import { holdToDocument } from "../../../../tests/support/declared-answers.ts";
import { ok } from "../../../base/result.ts";
import type { Job, JobId, RunningJob } from "../../core/jobs/job.ts";
import type { Store } from "../../core/store.ts";
import { createApp } from "../app.ts";
import type { ApiContext, Peer } from "../context.ts";

const createWorld = async () => {
  const harness = createHarness();
  const { context, submit, startJob } = harness;
  await submit({ job_id: "a", user: "ann" });
  await startJob("a");
  const open = () => ok({ write: () => 0, resize: () => undefined, close: () => undefined });
  const limits = { ...context.settings.limits, maxFollowersPerAddress: 1 };
  const own: ApiContext = {
    ...context,
    settings: { ...context.settings, limits },
    feed: {
      ...context.feed,
      waitForChange: (timeoutMs) => {
        waits.resolve();
        return context.feed.waitForChange(timeoutMs);
      },
    },
    executor: { ...context.executor, attachCommand: () => ["screen"] },
    terminals: { open, run: async () => {} },
  };
  const app = holdToDocument(createApp(own), own);
  const waits = Promise.withResolvers<void>();
  const leaves: (() => void)[] = [];
  const closed: number[] = [];
  const upgrade: Peer["upgrade"] = (handler) => {
    handler.onOpen({ send: () => undefined, countWaiting: () => 0, close: (code) => void closed.push(code) });
    leaves.push(handler.onClose);
    return true;
  };
  const attach = async (query = "", headers: Record<string, string> = { upgrade: "WebSocket" }, peer = { upgrade }) => {
    const request = new Request(`http://localhost/v1/jobs/a/attach${query}`, {
      headers: { host: "localhost", "x-nexus-user": "eve", ...headers },
    });
    return (await app.fetch(request, { address: "127.0.0.1", ...peer })).status;
  };
  return { ...harness, app, attach, closed, leaves, untilItWaits: waits.promise };
};

test("a terminal that was opened is told of: whose, by whom, and whether it is only looked at", async () => {
  const { attach, leaves, lines } = await createWorld();
  expect(await attach("?read_only=true")).toBe(101);
  for (const leave of leaves) leave();
  expect(await attach()).toBe(101);
  const told = lines.filter(({ event }) => event === "terminal opened");
  expect(told.map(({ level, fields }) => [level, fields])).toMatchObject(
    [true, false].map((read_only) => [
      "info",
      { job_id: "a", user: "ann", read_only, reason: "asked for by eve at 127.0.0.1", request_id: expect.any(String) },
    ]),
  );
});

test("a viewer has a place until it leaves, and what is no WebSocket none", async () => {
  const { attach, leaves } = await createWorld();
  for (const [headers, peer] of [
    [{}, undefined],
    [{ upgrade: "h2c" }, undefined],
    [{ upgrade: "websocket" }, { upgrade: () => false }],
  ] as const)
    expect(await attach("", headers, peer)).toBe(400);
  expect([await attach(), await attach()]).toEqual([101, 429]);
  for (const leave of leaves) leave();
  expect(await attach()).toBe(101);
});

const setStatus = async (store: Store, change: (job: RunningJob) => Job): Promise<void> => {
  const written = await store.write((transaction) => {
    const job = transaction.findJob("a" as JobId);
    if (job?.status === "running") transaction.saveJob(change(job));
  });
  if (!written.ok) throw new Error(written.error.message);
};

test("a job that is just starting is waited for", async () => {
  const { attach, store, startJob, untilItWaits } = await createWorld();
  await setStatus(store, ({ handle: _handle, wandbUrl: _url, notificationMessages: _messages, ...job }) => ({
    ...job,
    status: "starting",
  }));
  const answer = attach();
  await untilItWaits;
  await startJob("a");
  expect(await answer).toBe(101);
});

test("of a job that has ended there is no terminal, nor of a server that stops", async () => {
  const { attach, endJob, stop } = await createWorld();
  stop();
  expect(await attach()).toBe(503);
  await endJob("a");
  expect(await attach()).toBe(400);
});

test("a server that stops closes terminals and ends event streams", async () => {
  const { attach, app, closed } = await createWorld();
  expect(await attach()).toBe(101);
  const request = new Request("http://localhost/v1/events", { headers: { host: "localhost" } });
  const reader = (await app.fetch(request, { address: "127.0.0.9" })).body?.getReader();
  await reader?.read();
  app.close();
  expect([closed, (await reader?.read())?.done]).toEqual([[1001], true]);
});
