import { expect, test } from "bun:test";
import { createEnded } from "../../../../tests/support/samples.ts";
import { readChannels } from "../../external/settings/notify-channels.ts";
import type { EndedJob } from "../jobs/job.ts";
import type { NotifyChannel } from "./channel-settings.ts";
import { createServerChannels, JOB_CHANNELS } from "./channels.ts";
import type { News } from "./news.ts";

const ended = (user: string, batchId?: string) =>
  createEnded("a", { user, ...(batchId === undefined ? {} : { batchId }) });

const ofJob = (user: string, batchId?: string): News => ({
  kind: "job",
  event: "completed",
  job: ended(user, batchId),
});

const COUNTS = { total: 1, completed: 1, failed: 0, killed: 0, removed: 0, failedIds: [] };
const ofBatch = (user: string): News => ({
  ...{ kind: "batch", event: "batch_done" },
  ...{ batch: { id: "b", ...COUNTS }, lastJob: ended(user, "b") },
});

const MACHINE: News = { kind: "machine", event: "unhealthy", nodeName: "atlas", figures: "" };

const listWanted = (fields: Partial<NotifyChannel>, news: readonly News[]): readonly boolean[] => {
  const parsed = readChannels({ team: { type: "slack", url: "https://example.org", ...fields } });
  if (!parsed.ok) throw new Error(parsed.error.message);
  const [channel] = createServerChannels(parsed.value);
  return news.map((each) => channel?.isWanted(each) ?? false);
};

test("a channel with a digest hears of a batch as a whole, another of its jobs", () => {
  const news = [ofJob("ann"), ofJob("ann", "b"), ofBatch("ann")];
  expect(listWanted({ digest: true }, news)).toEqual([true, false, true]);
  expect(listWanted({}, news)).toEqual([true, true, false]);
});

test("a channel for some users hears of their jobs and batches alone, and nothing of the machine", () => {
  const news = [ofJob("nexus"), ofBatch("nexus"), ofJob("ann"), ofBatch("ann"), MACHINE];
  expect(listWanted({ users: ["nexus"], digest: true }, news)).toEqual([true, true, false, false, false]);
  expect(listWanted({ digest: true }, news)).toEqual([true, true, true, true, true]);
  expect(listWanted({ events: ["completed"] }, [MACHINE])).toEqual([false]);
});

test("channels that a job asks for hear of jobs only", () => {
  const job = createEnded("a", { notifications: ["discord", "phone"], integrations: ["nullpointer"] });
  const wanted = (news: News) => JOB_CHANNELS.filter(({ isWanted }) => isWanted(news)).map(({ name }) => name);
  expect(wanted({ kind: "job", event: "completed", job })).toEqual(["nullpointer", "discord", "phone"]);
  expect(wanted({ kind: "job", event: "started", job })).toEqual(["discord"]);
  expect(wanted({ kind: "batch", event: "batch_done", batch: { id: "b", ...COUNTS }, lastJob: job })).toEqual([]);
  expect(wanted(MACHINE)).toEqual([]);
});

test("a job's channels hear only of jobs that asked for them, the phone and the log's only of ends", () => {
  const listChannels = (news: News) => JOB_CHANNELS.filter(({ isWanted }) => isWanted(news)).map(({ name }) => name);
  const events = ["started", "run_found", "completed", "failed", "killed", "log_uploaded"] as const;
  for (const event of events) {
    const isEnd = ["completed", "failed", "killed"].includes(event);
    const listFor = (asked: Partial<EndedJob>) => listChannels({ kind: "job", event, job: createEnded("a", asked) });
    expect(listFor({})).toEqual([]);
    expect(listFor({ notifications: ["discord"] })).toEqual(["discord"]);
    expect(listFor({ notifications: ["phone"] })).toEqual(isEnd ? ["phone"] : []);
    expect(listFor({ integrations: ["nullpointer"] })).toEqual(isEnd ? ["nullpointer"] : []);
    expect(listFor({ integrations: ["wandb"] })).toEqual([]);
  }
  expect([MACHINE, ofBatch("ann")].flatMap(listChannels)).toEqual([]);
});
