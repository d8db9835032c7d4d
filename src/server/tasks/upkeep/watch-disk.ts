import type { Job } from "../../core/jobs/job.ts";
import { type DiskNews, type DiskRoom, describeDiskRoom, judgeDisk } from "../../core/machine/disk-room.ts";
import type { Notice } from "../../core/notices/outbox.ts";
import { planNotices } from "../../core/notices/plan-notices.ts";
import type { Transaction } from "../../core/store.ts";
import type { TaskContext } from "../context.ts";

const planForOwners = (
  { channels, clock }: TaskContext,
  { loadEnvironment }: Transaction,
  jobs: readonly Job[],
): readonly Notice[] => {
  const byOwner = new Map<string, Notice>();
  for (const job of jobs) {
    const source = { channels, now: clock(), loadSecrets: () => loadEnvironment(job.id) };
    for (const notice of planNotices({ kind: "job", event: "disk_low", job }, source)) {
      const owner = JSON.stringify([notice.destination, job.user]);
      if (!byOwner.has(owner)) byOwner.set(owner, notice);
    }
  }
  return [...byOwner.values()];
};

const planForMachine = ({ channels, clock, settings }: TaskContext, room: DiskRoom): readonly Notice[] => {
  const news = {
    kind: "machine",
    event: "disk_low",
    nodeName: settings.nodeName,
    figures: describeDiskRoom(room),
  } as const;
  return planNotices(news, { channels, now: clock(), loadSecrets: () => ({}) });
};

const note = async (context: TaskContext, news: DiskNews, room: DiskRoom): Promise<void> => {
  const { store, log, wakes } = context;
  const running = store.loadActiveJobs().filter(({ status }) => status === "running");
  const written = await store.write((transaction) => {
    const isNew = transaction.setDiskSpell(news === "disk_low");
    if (!isNew || news === "disk_room") return isNew;
    transaction.outbox.enqueue([...planForOwners(context, transaction, running), ...planForMachine(context, room)]);
    return isNew;
  });
  if (!written.ok) throw new Error(written.error.message);
  const message = describeDiskRoom(room);
  if (news === "disk_low") log.warn("nothing starts: too little is free on the disk", { message });
  else log.info("jobs start again: there is room on the disk", { message });
  wakes.queues();
  wakes.outbox();
};

/** Returns a task that tells those whose jobs run once when too little is free on the disk, across restarts of the server too. */
export const createDiskWatch = (context: TaskContext): (() => Promise<number>) => {
  let isSpell: boolean | null = null;
  return async () => {
    isSpell ??= context.store.isDiskSpell();
    const room = await context.readDiskRoom();
    const news = judgeDisk(isSpell, room);
    if (news !== null && room !== null) {
      await note(context, news, room);
      isSpell = news === "disk_low";
    }
    return context.settings.refreshRate * 1000;
  };
};
