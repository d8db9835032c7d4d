import { describe, expect, test } from "bun:test";
import { createEnded, createQueued, createRunning, createStarting } from "../../../../tests/support/samples.ts";
import type { Job } from "../jobs/job.ts";
import { planBatchNotices } from "./batch-notice.ts";
import type { NotifyEvent } from "./channel-settings.ts";
import { createServerChannels, JOB_CHANNELS } from "./channels.ts";
import type { Batch, News } from "./news.ts";
import { describeNotice } from "./notice-text.ts";
import { type Channel, planJobNotices, planNotices } from "./plan-notices.ts";

const SECRETS = { MY_TOKEN: "tell-nobody", DISCORD_WEBHOOK_URL: "https://discord.test/hook" };
const EVERYTHING: Channel = { name: "all", isWanted: () => true, findDestination: () => "there" };

const from = (channels: readonly Channel[]) => ({ channels, now: 500, loadSecrets: () => SECRETS });

const listEvents = (before: Job, after: Job): readonly string[] =>
  planJobNotices(before, after, from([EVERYTHING])).map(({ subject }) => subject.event);

describe("a change of a job", () => {
  test.each([
    ["starts", createStarting("a"), createRunning("a"), ["started"]],
    ["completes", createRunning("a"), createEnded("a"), ["completed"]],
    ["fails", createRunning("a"), createEnded("a", { status: "failed" }), ["failed"]],
    ["is killed", createRunning("a"), createEnded("a", { status: "killed" }), ["killed"]],
    ["fails at its start", createStarting("a"), createEnded("a", { status: "failed" }), ["failed"]],
    ["has a W&B run", createRunning("a"), createRunning("a", { wandbUrl: "https://w" }), ["run_found"]],
    [
      "has another W&B run",
      createRunning("a", { wandbUrl: "https://v" }),
      createRunning("a", { wandbUrl: "https://w" }),
      ["run_found"],
    ],
    [
      "has the same W&B run",
      createRunning("a", { wandbUrl: "https://w" }),
      createRunning("a", { wandbUrl: "https://w", markedForKill: true }),
      [],
    ],
    ["is launched", createQueued("a"), createStarting("a"), []],
    ["is queued again", createStarting("a"), createQueued("a"), []],
    ["has another priority", createQueued("a"), createQueued("a", { priority: 3 }), []],
    ["is to be killed", createRunning("a"), createRunning("a", { markedForKill: true }), []],
  ])("that %s is told as it is", (_name, before, after, events) => {
    expect(listEvents(before, after)).toEqual(events);
  });
});

describe("a message", () => {
  const ask = { integrations: ["nullpointer"], notifications: ["discord"] } as const;

  test("waits 5 s for the log of an ended job if one is uploaded, the log itself for nothing", () => {
    const listDelays = (news: News) =>
      planNotices(news, from([...JOB_CHANNELS, EVERYTHING])).map(({ channel, dueAt }) => [channel, dueAt - 500]);
    expect(listDelays({ kind: "job", event: "failed", job: createEnded("a", { ...ask, status: "failed" }) })).toEqual([
      ["nullpointer", 0],
      ["discord", 5],
      ["all", 5],
    ]);
    const batch = { id: "b", total: 1, completed: 1, failed: 0, killed: 0, removed: 0, failedIds: [] };
    expect(listDelays({ kind: "batch", event: "batch_done", batch, lastJob: createEnded("a", ask) })).toEqual([
      ["all", 5],
    ]);
    for (const job of [createRunning("a", ask), createEnded("a", { notifications: ["discord"] })])
      expect(listDelays({ kind: "job", event: "started", job })).toEqual([
        ["discord", 0],
        ["all", 0],
      ]);
    expect(listDelays({ kind: "machine", event: "unhealthy", nodeName: "atlas", figures: "" })).toEqual([["all", 0]]);
  });

  test("goes where its channel says by the job's secrets, which are read only if someone wants to hear", () => {
    const news: News = { kind: "job", event: "started", job: createRunning("a", { notifications: ["discord"] }) };
    expect(planNotices(news, from([...JOB_CHANNELS, EVERYTHING]))).toEqual([
      {
        ...{ subject: { kind: "job", event: "started", jobId: news.job.id }, channel: "discord" },
        ...{ destination: "discord https://discord.test/hook", secrets: SECRETS, createdAt: 500, dueAt: 500 },
      },
      {
        ...{ subject: { kind: "job", event: "started", jobId: news.job.id }, channel: "all" },
        ...{ destination: "all there", secrets: SECRETS, createdAt: 500, dueAt: 500 },
      },
    ]);
    const loadSecrets = (): never => {
      throw new Error("nobody wants them");
    };
    const silent: Channel = { ...EVERYTHING, isWanted: () => false };
    expect(planNotices(news, { channels: [silent], now: 500, loadSecrets })).toEqual([]);
  });
});

describe("a job that is tried again", () => {
  const attempt = { startedAt: 1, endedAt: 9, gpuIdxs: [], exitCode: 3, reason: "it failed", cause: "exit" } as const;
  const past = { attempts: [attempt], retryAt: 19, dir: "/", hasWork: false, messages: {} };
  const ask = { notifications: ["discord"], retry: { count: 3, causes: ["exit"] } } as const;
  const tell = (before: Job, after: Job) =>
    planJobNotices(before, after, from(JOB_CHANNELS)).map(({ subject }) => ({ ...subject, jobId: undefined }));

  test("is told of once for each retry, as started once, and of its last end", () => {
    const [running, waiting] = [createRunning("a", ask), createQueued("a", { ...ask, past })];
    expect(tell(running, waiting)).toEqual([{ kind: "job", event: "retried", jobId: undefined, attempt: 1 }]);
    const [starting, second] = [createStarting("a", { ...ask, past }), createRunning("a", { ...ask, past })];
    expect([tell(waiting, starting), tell(starting, second)]).toEqual([[], []]);
    const ended = createEnded("a", { ...ask, past, status: "failed" });
    expect(tell(second, ended)).toEqual([{ kind: "job", event: "failed", jobId: undefined }]);
  });

  test("is told of to who hears of failures, with the attempt that follows and why", () => {
    const job = createQueued("a", { ...ask, past });
    const news = { kind: "job", event: "retried", job, attempt: 1 } as const;
    expect(describeNotice({ ...news, logLines: [], logUrl: null })).toContain(
      "Retry: attempt 2 of 4 in 10 s: it failed",
    );
    const channel = { events: ["failed"], users: [], digest: false, name: "team", url: "https://t" } as const;
    const base = { type: "webhook", secret: null, from: null, to: [] } as const;
    const wants = (events: readonly NotifyEvent[]) =>
      createServerChannels([{ ...base, ...channel, events }])[0]?.isWanted(news);
    expect([wants(["failed"]), wants(["completed"])]).toEqual([true, false]);
  });
});

describe("a batch", () => {
  const count = (counts: Partial<Batch>): Batch => ({
    ...{ id: "b", total: 4, completed: 0, failed: 0, killed: 0, removed: 0, failedIds: [] },
    ...counts,
  });
  const plan = (batch: Batch | null, lastJob: Job) => planBatchNotices(batch, lastJob, from([EVERYTHING]));

  test("is told of when each of its jobs has completed, failed, was killed or removed, and not before", () => {
    const done = count({ completed: 1, failed: 1, killed: 1, removed: 1 });
    for (const [counts, notices] of [
      [done, 1],
      [{ ...done, completed: 0 }, 0],
      [{ ...done, failed: 0 }, 0],
      [{ ...done, killed: 0 }, 0],
      [{ ...done, removed: 0 }, 0],
      [null, 0],
    ] as const)
      expect(plan(counts, createEnded("a"))).toHaveLength(notices);
  });

  test("whose last job ended is told with that job's name and secrets, as the job stays", () => {
    expect(plan(count({ completed: 4 }), createEnded("a"))).toMatchObject([
      { subject: { kind: "batch", batchId: "b", lastJobId: "a", removedJob: null }, secrets: SECRETS },
    ]);
  });

  test("whose last job was removed keeps that job, masked, and none of its secrets", () => {
    const lastJob = createQueued("a", { command: "train tell-nobody", jobrc: "export MY_TOKEN=tell-nobody" });
    const [notice] = plan(count({ completed: 3, removed: 1 }), lastJob);
    expect(notice).toMatchObject({
      subject: { removedJob: { ...lastJob, command: "train ********", jobrc: null } },
      secrets: {},
    });
  });
});
