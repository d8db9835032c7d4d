import { expect, test } from "bun:test";
import { type JobId, type QueuedJob, UNKNOWN_CODE } from "../../core/jobs/job.ts";
import type { StoreChange } from "../../core/store.ts";
import { createEventFeed, type EventFeed, type EventFeedOptions } from "./event-feed.ts";

const createFeed = (options: Partial<EventFeedOptions> = {}): EventFeed => createEventFeed({ epoch: "e1", ...options });

const createJob = (id: string, command = "true"): QueuedJob => ({
  id: id as JobId,
  command,
  user: "ann",
  artifactId: null,
  numGpus: 0,
  requestedGpuIdxs: [],
  priority: 0,
  integrations: [],
  notifications: [],
  envNames: ["SECRET"],
  jobrc: null,
  ignoreBlacklist: false,
  gitRepoUrl: null,
  gitBranch: null,
  gitTag: null,
  nodeName: "atlas",
  createdAt: 1,
  requestDigest: "",
  code: UNKNOWN_CODE,
  outputGlobs: null,
  links: [],
  notes: [],
  status: "queued",
});

const changeJob = (id: string, command?: string): StoreChange => ({ kind: "job", job: createJob(id, command) });
const removeJob = (id: string): StoreChange => ({ kind: "removal", id: id as JobId });

const openReader = (feed: EventFeed, lastEventId: string | null = null) => {
  const reader = feed.follow(lastEventId).getReader();
  const decoder = new TextDecoder();
  let text = "";
  const readUntil = async (what: string): Promise<string> => {
    while (!text.includes(what)) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`ended before ${what}: ${text}`);
      text += decoder.decode(value);
    }
    return text;
  };
  return { reader, readUntil };
};

test("every kind of change is an event with a name, a number and one line of data", async () => {
  const feed = createFeed();
  const { readUntil } = openReader(feed);
  await readUntil("id: e1-0\n\n");
  feed.publish([changeJob("aa", "a\nb"), { kind: "blacklist", gpuIdx: 1, blacklisted: true }]);
  feed.publish([removeJob("aa")]);
  const text = await readUntil("job_removed");
  const [, job = "", gpu, removal] = text.split("\n\n");
  expect(job).toStartWith("id: e1-1\nevent: job\ndata: {");
  expect(JSON.parse(job.split("data: ")[1] ?? "")).toMatchObject({
    id: "aa",
    command: "a\nb",
    env: { SECRET: "********" },
  });
  expect(gpu).toBe('id: e1-2\nevent: gpu\ndata: {"gpu_idx":1,"blacklisted":true,"changed":true}');
  expect(removal).toBe('id: e1-3\nevent: job_removed\ndata: {"id":"aa"}');
});

test("a reader that comes back gets what it missed, once and in order", async () => {
  const feed = createFeed();
  const first = openReader(feed);
  feed.publish([removeJob("a"), removeJob("b"), removeJob("c")]);
  await first.readUntil("e1-3");
  await first.reader.cancel();
  feed.publish([removeJob("d")]);
  const again = await openReader(feed, "e1-2").readUntil('"d"');
  expect(again.match(/id: \S+/g)).toEqual(["id: e1-3", "id: e1-4"]);
});

test.each([
  ["of another start of the server", "e0-1"],
  ["that is still to come", "e1-99"],
  ["that is none", "nonsense"],
  ["that is no longer kept", "e1-1"],
])("a number %s is answered with resync, and events go on from there", async (_case, lastEventId) => {
  const feed = createFeed({ limits: { changes: 2, characters: 1_000_000 } });
  openReader(feed);
  feed.publish(["a", "b", "c", "d"].map(removeJob));
  const { readUntil } = openReader(feed, lastEventId);
  expect(await readUntil("resync")).toContain("id: e1-4\nevent: resync\ndata: {}\n\n");
  feed.publish([removeJob("e")]);
  expect(await readUntil('"e"')).toContain("id: e1-5\n");
});

test("a reader that never reads holds nothing back and is told to read anew", async () => {
  const feed = createFeed({ limits: { changes: 100, characters: 100_000 } });
  const { readUntil } = openReader(feed);
  for (let round = 0; round < 1000; round += 1) feed.publish([changeJob(`j${round}`, "x".repeat(10_000))]);
  const text = await readUntil("resync");
  expect(text.length).toBeLessThan(1000);
  expect(text).toContain("id: e1-1000\n");
});

test("a reader that is far behind gets what it missed in pieces", async () => {
  const feed = createFeed();
  const { reader } = openReader(feed);
  const length = 10_000;
  feed.publish(Array.from({ length: 100 }, (_, index) => changeJob(`j${index}`, "x".repeat(length))));
  const sizes: number[] = [];
  for (let read = 0; read < 100 * length; read += sizes.at(-1) ?? 0)
    sizes.push((await reader.read()).value?.byteLength ?? Number.NaN);
  expect(Math.max(...sizes)).toBeLessThan(64 * 1024 + 2 * length);
});

test("silence is broken by comments", async () => {
  const feed = createFeed({ keepAliveMs: 5 });
  expect(await openReader(feed).readUntil(": keep-alive")).toContain("\n\n: keep-alive\n\n");
});

test("the stream ends when the feed is closed, after what was published before", async () => {
  const feed = createFeed();
  const { reader, readUntil } = openReader(feed);
  await readUntil("retry");
  feed.publish([removeJob("a")]);
  feed.close();
  await readUntil('"a"');
  expect((await reader.read()).done).toBe(true);
});

test("who waits for a change hears of the next one, of the end, and when the time is over", async () => {
  const feed = createFeed();
  const heard = feed.waitForChange(60_000);
  feed.publish([changeJob("a")]);
  await heard;
  await feed.waitForChange(1);
  const ended = feed.waitForChange(60_000);
  feed.close();
  await ended;
});
