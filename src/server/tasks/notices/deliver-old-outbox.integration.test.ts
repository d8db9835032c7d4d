import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES } from "../../../../tests/support/programs.ts";
import { startSlack, startWebhook } from "../../../../tests/support/stand-ins/channels.ts";
import { makeFolder, must, openIn } from "../../../../tests/support/store.ts";
import { createHarness, toId } from "../../../../tests/support/tasks.ts";
import { createServerCouriers } from "../../external/couriers/server-couriers.ts";
import { readChannels } from "../../external/settings/notify-channels.ts";
import { restoreDatabase } from "../../external/sqlite/beside-server/restore-database.ts";
import { createDelivery } from "./deliver-outbox.ts";

const FILE = join(FIXTURES, "databases", "v4-outbox.db");
const SECRET = "whsec_c2VjcmV0";
const LAST_S = 1_700_001_301;

const restore = (): string => {
  const serverDir = makeFolder();
  must(restoreDatabase({ serverDir, file: FILE, stamp: "now", readLaunches: () => [] }));
  return serverDir;
};

const upgrade = (): string => {
  const serverDir = makeFolder();
  const path = join(serverDir, "jobs.db");
  copyFileSync(FILE, path);
  const db = new Database(path);
  const key = db.query<{ value: Uint8Array }, []>("select value from backup where name = 'secret_key'").get();
  writeFileSync(join(serverDir, "secret.key"), key?.value ?? "", { mode: 0o600 });
  db.exec("drop table backup");
  db.close();
  return serverDir;
};

const loseKey = (): string => {
  const serverDir = upgrade();
  rmSync(join(serverDir, "secret.key"));
  return serverDir;
};

const deliverAll = async (serverDir: string) => {
  const [slack, hook] = [startSlack(), startWebhook(SECRET)];
  onTestFinished(() => Promise.all([slack.stop(), hook.stop()]).then(() => undefined));
  const notify = {
    team: { type: "slack", url: slack.address },
    hook: { type: "webhook", url: hook.url, secret: SECRET },
  };
  const couriers = createServerCouriers(must(readChannels(notify)), () => Date.now() / 1000);
  const { context, setTime, logs } = createHarness({ store: () => openIn(serverDir) });
  let heard = Promise.withResolvers<void>();
  const wakes = { ...context.wakes, outbox: () => heard.resolve() };
  const delivery = createDelivery({ ...context, wakes }, { couriers, timeoutMs: 2000, random: () => 0 });
  onTestFinished(() => delivery.stop());
  const { outbox } = context.store;
  for (let time = LAST_S; outbox.measure().length > 0; time++) {
    setTime(time);
    heard = Promise.withResolvers();
    await delivery.run();
    if (outbox.hasInterrupted()) await heard.promise;
  }
  return { slack, hook, outbox, logs };
};

test.each([
  ["restored from a backup", restore],
  ["found by an upgraded server", upgrade],
])(
  "what version 4 had not told of removed jobs, batches and the machine is told in the same words when %s",
  async (_name, load) => {
    const { slack, hook, outbox } = await deliverAll(load());
    expect(slack.texts.toSorted()).toEqual([
      "*Batch: 1 of 2 done, 1 failed, on atlas*\nJobs: 1 failed, 1 removed\nFailed: bad\nLast command: train --name waits --key ********\nUser: ann",
      "*Batch: 2 of 2 done, 1 failed, on atlas*\nJobs: 1 completed, 1 failed\nFailed: last\nLast command: train --name last --key ********\nUser: ann",
      "*atlas is unhealthy*\nScore: 30 of 100\nDisk /: 97 % used, 1.0 GiB free\nProcessor: 12 % busy\nMemory: 40 % used",
    ]);
    const batch = { total: 2, failed: 1, killed: 0 };
    expect(hook.events.toSorted((a, b) => a.id.localeCompare(b.id))).toMatchObject([
      {
        id: "nexus-last-hook-batch_done-1700000860.75",
        type: "batch.done",
        data: {
          job: { id: "last", status: "failed", command: "train --name last --key ********" },
          batch: { ...batch, id: "new2-1700001000.5", completed: 1, removed: 0, failedIds: ["last"] },
        },
      },
      {
        id: "nexus-machine-1700001300-hook-unhealthy-1700001300.5",
        type: "machine.unhealthy",
        data: { job: null, machine: expect.stringContaining("Score: 30 of 100\n"), batch: null },
      },
      {
        id: "nexus-waits-hook-batch_done-1700000860.75",
        type: "batch.done",
        data: {
          job: {
            id: "waits",
            status: "queued",
            env: { KEY: "********" },
            command: "train --name waits --key ********",
          },
          batch: { ...batch, id: "new1-1700001000.5", completed: 0, removed: 1, failedIds: ["bad"] },
        },
      },
    ]);
    expect(
      outbox.listOfJob(toId("last")).map(({ state, attempts, isUncertain }) => [state, attempts, isUncertain]),
    ).toEqual([
      ["delivered", 2, true],
      ["delivered", 2, true],
    ]);
    expect(outbox.listOfJob(toId("told2")).map(({ subject, state }) => `${subject.event} ${state}`)).toEqual([
      "batch_done delivered",
      "batch_done delivered",
    ]);
  },
);

test("what version 4 had not told is given up where its key is lost, and told to nobody", async () => {
  const { slack, hook, outbox, logs } = await deliverAll(loseKey());
  expect([slack.texts, hook.events]).toEqual([[], []]);
  expect(outbox.listOfJob(toId("waits")).map(({ state, error }) => [state, error])).toEqual([
    ["dead", "its job is gone"],
    ["dead", "its job is gone"],
  ]);
  const gone = logs.filter(({ event, fields }) => event === "notification given up" && fields["event"] === "unhealthy");
  expect(gone.map(({ fields }) => `${fields["channel"]}: ${fields["message"]}`).toSorted()).toEqual([
    "hook: its figures are gone",
    "team: its figures are gone",
  ]);
});
