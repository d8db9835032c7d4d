import { describe, expect, onTestFinished, test } from "bun:test";
import { startSlack, startWebhook } from "../../../../tests/support/stand-ins/channels.ts";
import { type DiscordStandIn, startDiscord } from "../../../../tests/support/stand-ins/discord.ts";
import { type NullpointerStandIn, startNullpointer } from "../../../../tests/support/stand-ins/nullpointer.ts";
import { startTwilio, type TwilioStandIn } from "../../../../tests/support/stand-ins/twilio.ts";
import {
  createCpuJob,
  createHarness,
  type Harness,
  handleOf,
  must,
  readFigureOf,
  toId,
} from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { err, ok } from "../../../base/result.ts";
import { changeJob, decideByEvent } from "../../changes/change-job.ts";
import type { JobEvent } from "../../core/jobs/job-transition.ts";
import { toWireJob } from "../../core/jobs/wire-job.ts";
import { createServerChannels, JOB_CHANNELS } from "../../core/notices/channels.ts";
import type { Courier, Couriers } from "../../core/notices/courier.ts";
import type { OutboxMessage } from "../../core/notices/outbox.ts";
import type { Channel } from "../../core/notices/plan-notices.ts";
import { createDiscord } from "../../external/couriers/discord.ts";
import { createNullpointer } from "../../external/couriers/nullpointer.ts";
import { createServerCouriers } from "../../external/couriers/server-couriers.ts";
import { createTwilio } from "../../external/couriers/twilio.ts";
import { readChannels } from "../../external/settings/notify-channels.ts";
import { createHealthWatch } from "../upkeep/watch-health.ts";
import { createDelivery, type Delivery } from "./deliver-outbox.ts";
import { expireOutbox } from "./expire-outbox.ts";

const HOUR_S = 3600;
const MOMENT_MS = 600;

type Office = Harness &
  Readonly<{
    delivery: Delivery;
    deliverDue: () => Promise<number>;
    deliver: () => Promise<void>;
    launch: (id: string) => Promise<void>;
    exit: (id: string, exitCode: number) => Promise<void>;
    messages: (id: string) => readonly OutboxMessage[];
    states: (id: string) => readonly string[];
  }>;

const serveDiscord = (): DiscordStandIn => {
  const discord = startDiscord();
  onTestFinished(() => discord.stop());
  return discord;
};

const PATIENT_MS = 20_000;

const openOffice = (
  couriers: Couriers = { discord: createDiscord() },
  timeoutMs = 200,
  channels: readonly Channel[] = JOB_CHANNELS,
): Office => {
  const harness = createHarness({ log: "line one\nRuntimeError: out of luck\n", channels });
  const { store } = harness;
  let heard = Promise.withResolvers<void>();
  const wakes = { ...harness.context.wakes, outbox: () => heard.resolve() };
  const context = { ...harness.context, wakes };
  const delivery = createDelivery(context, { couriers, timeoutMs, random: () => 1 });
  onTestFinished(() => delivery.stop());
  const messages = (id: string): readonly OutboxMessage[] => store.outbox.listOfJob(toId(id));
  const change = async (id: string, event: JobEvent): Promise<void> => {
    must(await changeJob(context, toId(id), decideByEvent(event)));
  };
  const deliverDue = async (): Promise<number> => {
    for (;;) {
      heard = Promise.withResolvers();
      const delayMs = await delivery.run();
      if (!store.outbox.hasInterrupted()) return delayMs;
      await heard.promise;
    }
  };
  const deliver = async (): Promise<void> => {
    for (let delayMs = await deliverDue(); delayMs <= MOMENT_MS; delayMs = await deliverDue())
      harness.setTime(context.uptime() + delayMs / 1000);
  };
  return {
    ...harness,
    context,
    delivery,
    deliverDue,
    deliver,
    messages,
    states: (id) => messages(id).map(({ channel, subject, state }) => `${channel} ${subject.event} ${state}`),
    launch: async (id) => {
      await change(id, { kind: "start", at: 1000, gpuIdxs: [], dir: `/jobs/${id}` });
      await change(id, { kind: "launch", handle: handleOf(id) });
    },
    exit: (id, exitCode) => change(id, { kind: "exit", at: 1001, exitCode }),
  };
};

const addDiscordJob = async ({ store }: Harness, id: string, webhook: string, fields = {}): Promise<void> => {
  const env = { DISCORD_USER_ID: "42", DISCORD_WEBHOOK_URL: webhook, API_KEY: "hunter2secret" };
  const job = createCpuJob(id, { notifications: ["discord"], ...fields });
  must(await store.write((transaction) => transaction.insertJob(job, env)));
};

const countDeliveries = (office: Office, channel: string): readonly (number | undefined)[] =>
  ["delivered", "failed", "given_up"].map((outcome) =>
    readFigureOf(office, "nexus_notifications_total", { channel, outcome }),
  );

describe("a notification", () => {
  test("is sent at the start and at the end, and the first one's id is kept with the job", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    await office.deliver();
    await office.exit("a", 0);
    await office.deliver();
    expect(discord.texts()).toEqual(["<@42> Job a started on atlas", "<@42> Job a completed on atlas"]);
    const [first] = discord.messages.keys();
    expect(toWireJob(office.find("a")).notification_messages).toEqual({ discord_start_job: first ?? "" });
    expect(office.states("a")).toEqual(["discord started delivered", "discord completed delivered"]);
    const reported = office.logs.filter(({ event, level }) => event === "job changed" && level === "debug");
    expect(reported).toMatchObject([{ fields: { job_id: "a", reason: "its first message was delivered" } }]);
  });

  test("is written with the change that it tells of, or not at all", async () => {
    const office = openOffice();
    await addDiscordJob(office, "a", "http://127.0.0.1:1/");
    await office.launch("a");
    const { context } = office;
    const store: typeof context.store = {
      ...context.store,
      write: (change) =>
        context.store.write((transaction) => {
          change(transaction);
          throw new Error("the power fails");
        }),
    };
    const event = { kind: "exit", at: 1001, exitCode: 0 } as const;
    expect(changeJob({ ...context, store }, toId("a"), decideByEvent(event))).rejects.toThrow("the power fails");
    await waitUntil(() => office.states("a").length === 1);
    expect(office.find("a").status).toBe("running");
    expect(office.states("a")).toEqual(["discord started pending"]);
  });

  test("keeps its secrets sealed until it is delivered, and loses them then, though the job's own are gone", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    await office.exit("a", 1);
    const [first] = office.messages("a");
    expect(office.store.loadEnvironment(toId("a"))).toEqual({});
    expect(office.store.outbox.openSecrets(first?.id ?? 0)["DISCORD_WEBHOOK_URL"]).toBe(discord.webhookUrl);
    await office.deliver();
    await office.deliver();
    expect(office.states("a")).toEqual(["discord started delivered", "discord failed delivered"]);
    expect(office.messages("a").map(({ id }) => office.store.outbox.openSecrets(id))).toEqual([{}, {}]);
  });

  test.each([500, 502, 429, 408])(
    "that is answered %d is tried again, and the next of the job waits for it",
    async (status) => {
      const discord = serveDiscord();
      const office = openOffice();
      discord.failNext({ kind: "status", status }, { kind: "status", status });
      await addDiscordJob(office, "a", discord.webhookUrl);
      await office.launch("a");
      await office.exit("a", 0);
      await office.deliver();
      expect(office.states("a")).toEqual(["discord started pending", "discord completed blocked"]);
      expect(office.messages("a")[0]?.error).toBe(`Discord answered ${status}`);
      office.setTime(1000.3);
      await office.deliver();
      expect(discord.requests).toHaveLength(1);
      office.setTime(1010);
      await office.deliver();
      office.setTime(1020);
      await office.deliver();
      await office.deliver();
      expect(discord.texts()).toEqual(["<@42> Job a started on atlas", "<@42> Job a completed on atlas"]);
      expect(office.messages("a").map(({ attempts }) => attempts)).toEqual([3, 1]);
    },
  );

  test("waits as long as the service asks it to", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    discord.limitRate({ requests: 0, retryAfterS: 64.5 });
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    await office.deliver();
    office.setTime(1064);
    await office.deliver();
    expect(discord.texts()).toEqual([]);
    office.setTime(1065.6);
    await office.deliver();
    expect(discord.texts()).toEqual(["<@42> Job a started on atlas"]);
  });

  test("that is refused for good is given up with the reason, and the next one is sent", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    discord.failNext({ kind: "status", status: 404, body: '{"message": "Unknown Webhook", "code": 10015}' });
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    await office.exit("a", 0);
    await office.deliver();
    await office.deliver();
    expect(office.states("a")).toEqual(["discord started dead", "discord completed delivered"]);
    expect(office.messages("a")[0]?.error).toBe("Discord answered 404: Unknown Webhook");
    expect(discord.texts()).toEqual(["<@42> Job a completed on atlas"]);
    expect(countDeliveries(office, "discord")).toEqual([1, undefined, 1]);
  });

  test.each(["", "not an address", "file:///etc/passwd", "ftp://127.0.0.1/"])(
    "to the address %p is given up without a request",
    async (webhook) => {
      const office = openOffice();
      await addDiscordJob(office, "a", webhook);
      await office.launch("a");
      await office.deliver();
      expect(office.states("a")).toEqual(["discord started dead"]);
    },
  );

  test("to a service that hangs is timed out, and holds up no other destination", async () => {
    const [hanging, well] = [serveDiscord(), serveDiscord()];
    const office = openOffice();
    hanging.failAlways({ kind: "hang" });
    await addDiscordJob(office, "a", hanging.webhookUrl);
    await addDiscordJob(office, "b", well.webhookUrl);
    for (const id of ["a", "b"]) await office.launch(id);
    await office.delivery.run();
    await waitUntil(() => well.texts().length === 1);
    expect(office.states("a")).toEqual(["discord started sending"]);
    await office.deliver();
    expect(office.messages("a")[0]).toMatchObject({
      state: "pending",
      isUncertain: true,
      error: "Discord did not answer in time",
    });
    expect(hanging.requests).toHaveLength(1);
  });

  test("leaves its destination a moment before the next one, and no other destination", async () => {
    const [first, second] = [serveDiscord(), serveDiscord()];
    const office = openOffice();
    for (const id of ["a", "b"]) await addDiscordJob(office, id, first.webhookUrl);
    await addDiscordJob(office, "c", second.webhookUrl);
    for (const id of ["a", "b", "c"]) await office.launch(id);
    await office.deliverDue();
    expect([first.texts(), second.texts()].map(({ length }) => length)).toEqual([1, 1]);
    office.setTime(1000.3);
    await office.deliver();
    expect(first.texts()).toHaveLength(2);
  });

  test("is not held up by a clock that was set back after the one before it", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    for (const id of ["a", "b"]) await addDiscordJob(office, id, discord.webhookUrl);
    await office.launch("a");
    await office.deliver();
    office.setClockBack(HOUR_S);
    await office.launch("b");
    await office.deliver();
    expect(discord.texts()).toHaveLength(2);
  });

  test("whose courier never ends, throws or is not there harms no other", async () => {
    const discord = serveDiscord();
    const broken: Courier = { deliver: async () => Promise.reject(new Error("broken courier")) };
    const endless: Courier = { deliver: () => new Promise(() => {}) };
    const office = openOffice({ discord: createDiscord(), phone: broken, nullpointer: endless }, 50);
    await addDiscordJob(office, "a", discord.webhookUrl, {
      notifications: ["discord", "phone"],
      integrations: ["nullpointer"],
    });
    await office.launch("a");
    await office.exit("a", 1);
    office.setTime(1006);
    await office.deliver();
    await office.deliver();
    expect(office.states("a").toSorted()).toEqual([
      "discord failed delivered",
      "discord started delivered",
      "nullpointer failed pending",
      "phone failed dead",
    ]);
    expect(office.messages("a").find(({ channel }) => channel === "phone")?.error).toBe("broken courier");
  });

  test("that was being sent when the server ended is sent again by the next one, marked as uncertain", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    const [message] = office.messages("a");
    must(await office.store.write(({ outbox }) => outbox.markSending(message?.id ?? 0)));
    expect(office.states("a")).toEqual(["discord started sending"]);
    await office.deliver();
    expect(office.messages("a")[0]).toMatchObject({ state: "delivered", isUncertain: true, attempts: 2 });
    expect(discord.texts()).toHaveLength(1);
  });

  test("that is answered while the server stops is written down, so that the next one does not send it again", async () => {
    const answer = Promise.withResolvers<Awaited<ReturnType<Courier["deliver"]>>>();
    const office = openOffice({ discord: { deliver: () => answer.promise } }, HOUR_S * 1000);
    await addDiscordJob(office, "a", "http://127.0.0.1:1/");
    await office.launch("a");
    await office.delivery.run();
    const stopped = office.delivery.stop();
    answer.resolve(ok({ reference: "1" }));
    await stopped;
    expect(office.states("a")).toEqual(["discord started delivered"]);
  });

  test("is not sent twice when what came of it can't be written at once", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    let isFull = false;
    const write: typeof office.store.write = async (change) =>
      isFull ? err({ kind: "unavailable", message: "The disk is full" }) : office.store.write(change);
    const answered = Promise.withResolvers<void>();
    const wakes = { ...office.context.wakes, outbox: answered.resolve };
    const context = { ...office.context, store: { ...office.store, write }, wakes };
    const delivery = createDelivery(context, {
      couriers: { discord: createDiscord() },
      timeoutMs: 200,
      random: () => 0,
    });
    await delivery.run();
    isFull = true;
    await answered.promise;
    expect(discord.texts()).toHaveLength(1);
    expect(delivery.run()).rejects.toThrow("The disk is full");
    isFull = false;
    await delivery.run();
    expect(office.states("a")).toEqual(["discord started delivered"]);
    expect(discord.texts()).toHaveLength(1);
    await delivery.stop();
  });

  test("is given up after a day, whatever keeps it", async () => {
    const office = openOffice();
    await addDiscordJob(office, "a", "http://127.0.0.1:1/");
    await office.launch("a");
    await office.exit("a", 0);
    for (let hour = 0; hour <= 23; hour++) {
      office.setTime(1000 + hour * HOUR_S);
      await office.deliver();
    }
    expect(office.states("a")).toEqual(["discord started pending", "discord completed blocked"]);
    office.setTime(1000 + 24 * HOUR_S + 2);
    await expireOutbox(office.context);
    expect(office.states("a")).toEqual(["discord started dead", "discord completed dead"]);
    expect(office.messages("a").map(({ id }) => office.store.outbox.openSecrets(id))).toEqual([{}, {}]);
    expect(countDeliveries(office, "discord")).toEqual([undefined, 24, 2]);
    expect(office.logs.filter(({ event }) => event === "notification given up")).toMatchObject([
      { fields: { job_id: "a", event: "started", message: expect.stringContaining("can't be reached") } },
      { fields: { job_id: "a", event: "completed", message: "it was never its turn" } },
    ]);
    office.setTime(1000 + 40 * 24 * HOUR_S);
    await expireOutbox(office.context);
    expect(office.states("a")).toEqual([]);
  });

  test("of W&B's page edits the first message", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    await office.deliver();
    const wandbUrl = "https://wandb.ai/lab/vision/runs/abc123";
    must(await changeJob(office.context, toId("a"), decideByEvent({ kind: "report", reports: { wandbUrl } })));
    await office.deliver();
    expect(discord.edits).toEqual([...discord.messages.keys()]);
    expect(JSON.stringify([...discord.messages.values()])).toContain(wandbUrl);
    expect(discord.texts()).toEqual(["<@42> Job a started on atlas"]);
  });

  test("adds what is to be said of a W&B run that has no page", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    await addDiscordJob(office, "a", discord.webhookUrl);
    await office.launch("a");
    await office.deliver();
    const reports = { wandbUrl: null, wandbNote: "offline run abc123 (sync it with wandb sync /data/abc123)" };
    must(await changeJob(office.context, toId("a"), decideByEvent({ kind: "report", reports })));
    await office.deliver();
    expect(discord.edits).toHaveLength(1);
    expect(JSON.stringify([...discord.messages.values()])).toContain(reports.wandbNote);
  });

  test("fails a destination for longer and longer, not each of its messages at once", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    discord.failAlways({ kind: "status", status: 503 });
    for (let index = 0; index < 20; index++) {
      await addDiscordJob(office, `j${index}`, discord.webhookUrl);
      await office.launch(`j${index}`);
    }
    for (let second = 0; second < 60; second++) {
      office.setTime(1000 + second);
      await office.deliver();
    }
    expect(discord.requests.length).toBeLessThan(12);
    discord.failAlways(null);
    office.setTime(3000);
    for (let round = 0; round < 20; round++) await office.deliver();
    expect(discord.texts()).toHaveLength(20);
  });

  test("is sent once for each event of 30 jobs, whatever fails on the way", async () => {
    const discord = serveDiscord();
    const office = openOffice();
    discord.failNext(...Array.from({ length: 10 }, (_, index) => ({ kind: "status", status: 500 + index }) as const));
    const ids = Array.from({ length: 30 }, (_, index) => `j${index}`);
    for (const id of ids) {
      await addDiscordJob(office, id, discord.webhookUrl);
      await office.launch(id);
      await office.exit(id, 0);
    }
    for (let round = 0; round < 200 && discord.texts().length < 60; round++) {
      office.setTime(1000 + round * 60);
      await office.deliver();
    }
    expect(discord.texts().toSorted()).toEqual(
      ids.flatMap((id) => [`<@42> Job ${id} completed on atlas`, `<@42> Job ${id} started on atlas`]).toSorted(),
    );
    for (const id of ids) {
      const own = discord.texts().filter((text) => text.includes(`Job ${id} `));
      expect(own.map((text) => text.split(" ")[3])).toEqual(["started", "completed"]);
    }
  });
});

const openAll = (): Office &
  Readonly<{ discord: DiscordStandIn; files: NullpointerStandIn; twilio: TwilioStandIn }> => {
  const [discord, files, twilio] = [serveDiscord(), startNullpointer(), startTwilio()];
  onTestFinished(() => files.stop());
  onTestFinished(() => twilio.stop());
  const couriers = {
    discord: createDiscord(),
    nullpointer: createNullpointer(files.url),
    phone: createTwilio(twilio.url),
  };
  return { ...openOffice(couriers), discord, files, twilio };
};

const addFullJob = async (office: ReturnType<typeof openAll>, id: string, env = {}): Promise<void> => {
  const { discord, twilio, store } = office;
  const job = createCpuJob(id, { notifications: ["discord", "phone"], integrations: ["nullpointer"] });
  const own = { DISCORD_USER_ID: "42", DISCORD_WEBHOOK_URL: discord.webhookUrl, ...twilio.env };
  must(await store.write((transaction) => transaction.insertJob(job, { ...own, ...env })));
};

describe("the log of a job", () => {
  test("is uploaded for a day to a secret address with its secrets masked, and the message names it", async () => {
    const office = openAll();
    await addFullJob(office, "a", { API_KEY: "out of luck" });
    await office.launch("a");
    await office.exit("a", 1);
    for (let round = 0; round < 4; round++) await office.deliver();
    const [[path, file] = ["", new Uint8Array()]] = office.files.files;
    expect(new TextDecoder().decode(file)).toBe("line one\nRuntimeError: ********\n");
    expect(path).toStartWith("/s/");
    expect(new TextDecoder().decode(office.files.requests[0]?.body)).toMatch(/name="expires"\r\n\r\n24\r\n/);
    const sent = JSON.stringify([...office.discord.messages.values()][1]);
    expect(sent).toContain(`${office.files.url}${path}`);
    expect(office.discord.edits).toEqual([]);
  });

  test("that can't be uploaded holds the message up for 5 s and no longer; its address follows as an edit", async () => {
    const office = openAll();
    office.files.failNext({ kind: "garbage" }, { kind: "status", status: 503 });
    await addFullJob(office, "a");
    await office.launch("a");
    await office.exit("a", 1);
    await office.deliver();
    await office.deliver();
    expect(office.discord.texts()).toHaveLength(1);
    office.setTime(1005.1);
    await office.deliver();
    await office.deliver();
    expect(office.discord.texts()).toHaveLength(2);
    expect(JSON.stringify([...office.discord.messages.values()])).not.toContain(office.files.url);
    office.setTime(1100);
    for (let round = 0; round < 4; round++) await office.deliver();
    const [, last] = [...office.discord.messages.keys()];
    expect(office.discord.edits).toEqual([last ?? ""]);
    expect(JSON.stringify(office.discord.messages.get(last ?? ""))).toContain(office.files.url);
    expect(office.states("a").filter((state) => !state.endsWith("delivered"))).toEqual([]);
  });

  test("that comes while the message is under way follows as an edit all the same", async () => {
    const files = startNullpointer();
    onTestFinished(() => files.stop());
    files.failNext({ kind: "status", status: 503 });
    const [discord, real] = [serveDiscord(), createDiscord()];
    const released = Promise.withResolvers<void>();
    const slow: Courier = {
      deliver: async (parcel, signal) => {
        if (parcel.subject.event === "failed") await released.promise;
        return real.deliver(parcel, signal);
      },
    };
    const office = openOffice({ discord: slow, nullpointer: createNullpointer(files.url) }, PATIENT_MS);
    await addDiscordJob(office, "a", discord.webhookUrl, { integrations: ["nullpointer"] });
    await office.launch("a");
    await office.exit("a", 1);
    await office.deliver();
    for (const time of [1005.1, 1100]) {
      office.setTime(time);
      await office.delivery.run();
    }
    await waitUntil(async () => {
      await office.delivery.run();
      return office.states("a").includes("nullpointer failed delivered");
    });
    expect(office.states("a")).toContain("discord failed sending");
    released.resolve();
    office.setTime(1200);
    await office.deliver();
    await office.deliver();
    const [, last] = [...discord.messages.keys()];
    expect(discord.edits).toEqual([last ?? ""]);
    expect(JSON.stringify(discord.messages.get(last ?? ""))).toContain(files.url);
  });

  test("that is refused for good lets the message go at once", async () => {
    const office = openAll();
    office.files.failNext({ kind: "status", status: 413 });
    await addFullJob(office, "a");
    await office.launch("a");
    await office.exit("a", 1);
    for (let round = 0; round < 4; round++) await office.deliver();
    expect(office.discord.texts()).toHaveLength(2);
    expect(office.states("a")).toContain("nullpointer failed dead");
  });
});

describe("a call", () => {
  test("is made at the end of a job, and at no other time", async () => {
    const office = openAll();
    await addFullJob(office, "a");
    await office.launch("a");
    await office.deliver();
    expect(office.twilio.calls).toEqual([]);
    await office.exit("a", 3);
    office.setTime(1006);
    for (let round = 0; round < 4; round++) await office.deliver();
    expect(office.twilio.calls).toHaveLength(1);
    expect(office.twilio.calls[0]).toMatchObject({ to: "+4915112345678", from: "+15005550006" });
    expect(office.twilio.calls[0]?.said).toContain("job a is failed. Job failed with exit code 3.");
    expect(office.messages("a").find(({ channel }) => channel === "phone")?.reference).toMatch(/^CA\d{32}$/);
  });

  test("that is one too many for Twilio is made later", async () => {
    const office = openAll();
    office.twilio.limitRate({ requests: 0, retryAfterS: 0 });
    await addFullJob(office, "a");
    await office.launch("a");
    await office.exit("a", 0);
    for (const time of [1006, 1007, 1010]) {
      office.setTime(time);
      await office.deliver();
    }
    expect(office.twilio.calls).toHaveLength(1);
    const call = office.messages("a").find(({ channel }) => channel === "phone");
    expect(call).toMatchObject({ state: "delivered", attempts: 2, isUncertain: false });
  });

  test.each([
    ["TWILIO_AUTH_TOKEN", "wrong", "Twilio answered 401: Authenticate"],
    ["PHONE_TO_NUMBER", "me", "Twilio answered 400: The 'To' number is not valid"],
    ["TWILIO_FROM_NUMBER", "", "Twilio answered 400: The 'From' number is not valid"],
  ])("with a mistaken %s is given up, and says why", async (name, value, error) => {
    const office = openAll();
    await addFullJob(office, "a", { [name]: value });
    await office.launch("a");
    await office.exit("a", 0);
    office.setTime(1006);
    for (let round = 0; round < 3; round++) await office.deliver();
    expect(office.messages("a").find(({ channel }) => channel === "phone")).toMatchObject({ state: "dead", error });
  });
});

describe("a batch", () => {
  const team = { name: "team", type: "slack", url: "", secret: null, from: null, to: [], users: [] } as const;

  const runBatch = async (digest: boolean): Promise<readonly string[]> => {
    const slack = startSlack();
    onTestFinished(() => slack.stop());
    const channel = { ...team, url: slack.address, events: ["completed", "failed", "killed"], digest } as const;
    const office = openOffice(
      createServerCouriers([channel], () => 1000),
      PATIENT_MS,
      createServerChannels([channel]),
    );
    const ids = Array.from({ length: 20 }, (_, index) => `j${index}`);
    const add = office.store.write((transaction) => {
      transaction.outbox.openBatch("b", ids.length);
      for (const id of ids) transaction.insertJob(createCpuJob(id, { batchId: "b" }), {});
      transaction.insertJob(createCpuJob("alone"), {});
    });
    must(await add);
    for (const id of ["alone", ...ids]) await office.launch(id);
    await office.exit("alone", 0);
    await office.deliver();
    for (const [index, id] of ids.entries()) await office.exit(id, index < 3 ? 1 : 0);
    for (let round = 0; round < 25; round++) await office.deliver();
    return slack.texts;
  };

  test("is told of in one message when its last job has ended, where a digest is wanted", async () => {
    const [alone, digest, ...others] = await runBatch(true);
    expect(others).toEqual([]);
    expect(alone).toStartWith("*Job alone completed on atlas*");
    expect(digest).toStartWith(
      "*Batch: 20 of 20 done, 3 failed, on atlas*\nJobs: 17 completed, 3 failed\nFailed: j0 j1 j2\n",
    );
  });

  test("is told of job by job otherwise", async () => {
    expect(await runBatch(false)).toHaveLength(21);
  });
});

test("channels of the server hear of the users and events that they were given", async () => {
  const slack = startSlack();
  onTestFinished(() => slack.stop());
  const base = { type: "slack", url: slack.address, secret: null, from: null, to: [], digest: false } as const;
  const channels = [
    { ...base, name: "starts", events: ["started"], users: [] },
    { ...base, name: "of-bob", events: ["failed"], users: ["bob"] },
  ] as const;
  const office = openOffice(
    createServerCouriers(channels, () => 1000),
    200,
    createServerChannels(channels),
  );
  must(await office.store.write((transaction) => transaction.insertJob(createCpuJob("a"), {})));
  must(await office.store.write((transaction) => transaction.insertJob(createCpuJob("b", { user: "bob" }), {})));
  for (const id of ["a", "b"]) await office.launch(id);
  for (const id of ["a", "b"]) await office.exit(id, 1);
  for (let round = 0; round < 4; round++) await office.deliver();
  expect(office.states("a")).toEqual(["starts started delivered"]);
  expect(office.states("b")).toEqual(["starts started delivered", "of-bob failed delivered"]);
});

test("channels for everyone's jobs hear once that the machine is unhealthy and once that it has recovered", async () => {
  const slack = startSlack();
  const secret = "whsec_c2VjcmV0";
  const hook = startWebhook(secret);
  onTestFinished(() => Promise.all([slack.stop(), hook.stop()]).then(() => undefined));
  const parsed = readChannels({
    team: { type: "slack", url: slack.address },
    ann: { type: "slack", url: slack.address, users: ["ann"] },
    hook: { type: "webhook", url: hook.url, secret, events: ["recovered"] },
  });
  const configured = must(parsed);
  const office = openOffice(
    createServerCouriers(configured, () => Date.now() / 1000),
    200,
    [...JOB_CHANNELS, ...createServerChannels(configured)],
  );
  let used = 97;
  const disk = () => ({ total: 2 ** 40, used: 2 ** 40, free: 2 ** 30, percent_used: used });
  const look = createHealthWatch(office.context, {
    read: async () => ({ disk: disk(), network: null, system: null }),
  });
  for (const [time, percent] of [
    [1000, 97],
    [1300, 97],
    [1400, 97],
    [1500, 10],
    [1800, 10],
    [1900, 10],
  ] as const) {
    used = percent;
    office.setTime(time);
    await look();
    await office.deliver();
  }
  expect(slack.texts).toEqual([
    "*atlas is unhealthy*\nScore: 1 of 100\nDisk: 97 % used, 1.0 GiB free",
    "*atlas is healthy again*\nScore: 90 of 100\nDisk: 10 % used, 1.0 GiB free",
  ]);
  expect(hook.events).toMatchObject([
    { type: "machine.recovered", data: { title: "atlas is healthy again", job: null, machine: expect.any(String) } },
  ]);
});
