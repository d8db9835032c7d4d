import { expect, test } from "bun:test";
import { createQueued } from "../../../../tests/support/samples.ts";
import { createCpuJob, createHarness, type Harness, handleOf, must, toId } from "../../../../tests/support/tasks.ts";
import type { QueuedJob } from "../../core/jobs/job.ts";
import type { DiskRoom } from "../../core/machine/disk-room.ts";
import { createServerChannels, JOB_CHANNELS } from "../../core/notices/channels.ts";
import { readChannels } from "../../external/settings/notify-channels.ts";
import { createMemory } from "../context.ts";
import { startCpuJobs, startGpuJobs } from "../jobs/start-queued-jobs.ts";
import { createDiskWatch } from "./watch-disk.ts";

const LOW: DiskRoom = { freeBytes: 4e9, minBytes: 5e9 };
const NEARLY: DiskRoom = { freeBytes: 5.2e9, minBytes: 5e9 };
const AMPLE: DiskRoom = { freeBytes: 9e9, minBytes: 5e9 };
const HOOK = "https://example.org/hook";

const CHANNELS = must(
  readChannels({
    all: { type: "slack", url: `${HOOK}/all` },
    anns: { type: "slack", url: `${HOOK}/anns`, users: ["ann"] },
    eves: { type: "slack", url: `${HOOK}/eves`, users: ["eve"] },
    ends: { type: "slack", url: `${HOOK}/ends`, events: ["failed"] },
  }),
);

type Scene = Harness & Readonly<{ setRoom: (room: DiskRoom | null) => void; told: () => readonly string[] }>;

const createScene = (): Scene => {
  let room: DiskRoom | null = null;
  const channels = [...JOB_CHANNELS, ...createServerChannels(CHANNELS)];
  const harness = createHarness({ channels, readDiskRoom: async () => room });
  const setRoom = (next: DiskRoom | null): void => {
    room = next;
  };
  const told = (): readonly string[] =>
    harness.store.outbox
      .listHeads()
      .map(
        ({ channel, subject }) =>
          `${channel} ${subject.kind === "job" ? subject.jobId : subject.kind} ${subject.event}`,
      )
      .toSorted();
  return { ...harness, setRoom, told };
};

const run = async ({ store, context }: Scene, job: QueuedJob, webhook = `${HOOK}/discord`): Promise<void> => {
  const env = { DISCORD_WEBHOOK_URL: webhook, DISCORD_USER_ID: "1" };
  must(await store.write(({ insertJob }) => insertJob(job, env)));
  const { id } = job;
  const started = { startedAt: context.clock(), gpuIdxs: [], dir: `/jobs/${id}`, markedForKill: false } as const;
  const reports = { wandbUrl: null, notificationMessages: {} };
  const running = { ...job, status: "running", ...started, ...reports, handle: handleOf(id) } as const;
  must(await store.write(({ saveJob }) => saveJob(running)));
};

test("each owner of running jobs is told once, by the channels of a job, and channels of the machine are told", async () => {
  const scene = createScene();
  const told = { notifications: ["discord"] } as const;
  await run(scene, createCpuJob("a1", { user: "ann", ...told }));
  await run(scene, createCpuJob("a2", { user: "ann", ...told }));
  await run(scene, createCpuJob("b1", { user: "bob", ...told }), `${HOOK}/of-bob`);
  await run(scene, createCpuJob("c1", { user: "cid" }));
  await scene.add(createCpuJob("d1", { user: "eve", ...told }));
  scene.setRoom(LOW);
  const watch = createDiskWatch(scene.context);
  await watch();
  const all = ["all machine disk_low", "anns a2 disk_low", "discord a2 disk_low", "discord b1 disk_low"];
  expect(scene.told()).toEqual(all);
  for (const room of [LOW, NEARLY, LOW, null, NEARLY]) {
    scene.setRoom(room);
    await watch();
    await createDiskWatch(scene.context)();
  }
  expect(scene.told()).toEqual(all);
  expect(scene.logs.filter(({ level }) => level === "warn").map(({ fields }) => fields["message"])).toEqual([
    "4 GB are free on the disk of the server's folder, and min_free_gb is 5",
  ]);
});

test("users who share a webhook are both told", async () => {
  const scene = createScene();
  for (const user of ["ann", "bob"]) await run(scene, createCpuJob(user, { user, notifications: ["discord"] }));
  scene.setRoom(LOW);
  await createDiskWatch(scene.context)();
  const jobs = ["ann", "bob"].map((id) => scene.store.outbox.listOfJob(toId(id)).map(({ channel }) => channel));
  expect(jobs).toEqual([["discord", "anns"], ["discord"]]);
});

test("that there is room again is logged, and a second spell is told too", async () => {
  const scene = createScene();
  const watch = createDiskWatch(scene.context);
  for (const room of [LOW, AMPLE, LOW]) {
    scene.setTime(scene.context.clock() + 10);
    scene.setRoom(room);
    await watch();
  }
  expect(scene.logs.map(({ event }) => event)).toEqual([
    "nothing starts: too little is free on the disk",
    "jobs start again: there is room on the disk",
    "nothing starts: too little is free on the disk",
  ]);
  expect(scene.store.isDiskSpell()).toBe(true);
});

test("nothing starts while the disk is low, and all that can once it is not", async () => {
  const scene = createScene();
  const memory = createMemory();
  await scene.add(createCpuJob("cpu"), createQueued("gpu"));
  const look = async (room: DiskRoom | null) => {
    scene.setRoom(room);
    await startCpuJobs(scene.context, memory);
    await startGpuJobs(scene.context, memory);
    return ["cpu", "gpu"].map((id) => scene.find(id).status === "queued");
  };
  expect(await look(LOW)).toEqual([true, true]);
  expect(await look(NEARLY)).toEqual([false, false]);
});
