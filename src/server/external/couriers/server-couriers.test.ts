import { describe, expect, onTestFinished, test } from "bun:test";
import { createEnded } from "../../../../tests/support/samples.ts";
import { startNtfy, startSlack, startWebhook } from "../../../../tests/support/stand-ins/channels.ts";
import { type SmtpStandIn, startSmtp } from "../../../../tests/support/stand-ins/smtp.ts";
import type { StandIn } from "../../../../tests/support/stand-ins/stand-in.ts";
import type { EndedJob } from "../../core/jobs/job.ts";
import type { NotifyType } from "../../core/notices/channel-settings.ts";
import type { Parcel } from "../../core/notices/courier.ts";
import { readChannels } from "../settings/notify-channels.ts";
import { createDiscord } from "./discord.ts";
import { createNullpointer } from "./nullpointer.ts";
import { createServerCouriers } from "./server-couriers.ts";
import { createTwilio } from "./twilio.ts";

const SECRET = `whsec_${Buffer.from("a signing key of a webhook").toString("base64")}`;
const LOG = "epoch 1\n<!channel> token hunter2-secret ```\nValueError: boom\n";
const FAILED = {
  status: "failed",
  exitCode: 1,
  errorMessage: "Job failed with exit code 1. ValueError: boom",
} as const;

const use = <Service extends StandIn>(service: Service): Service => {
  onTestFinished(() => service.stop());
  return service;
};

const pack = (fields: Partial<EndedJob> = {}, log: string = LOG): Parcel => {
  const job = createEnded("a", { ...FAILED, command: "train --key hunter2-secret '<!here>'", ...fields });
  const readLog = async () => Buffer.from(log);
  return {
    subject: { kind: "job", event: job.status, job, readLog, logUrl: "https://0x0.st/x", editedReference: null },
    channel: "team",
    createdAt: 1_700_000_000,
    secrets: { API_KEY: "hunter2-secret" },
  };
};

const deliver = async (type: NotifyType, url: string, parcel: Parcel, secret?: string, timeoutMs = 1000) => {
  const addresses = type === "email" ? { from: "nexus@example.org", to: ["ann@example.org", "bob@example.org"] } : {};
  const parsed = readChannels({ team: { type, url, ...addresses, ...(secret === undefined ? {} : { secret }) } });
  if (!parsed.ok) throw new Error(parsed.error.message);
  const courier = createServerCouriers(parsed.value, () => Date.now() / 1000)["team"];
  return courier?.deliver(parcel, AbortSignal.timeout(timeoutMs));
};

describe("Slack", () => {
  test("hears of a job with its error, command and log, and mentions nobody", async () => {
    const slack = use(startSlack());
    expect(await deliver("slack", slack.address, pack())).toEqual({ ok: true, value: { reference: null } });
    expect(slack.mentions).toEqual([]);
    expect(slack.texts).toEqual([
      `*Job a failed on atlas*
Error: Job failed with exit code 1. ValueError: boom
Command: train --key ******** '&lt;!here&gt;'
User: ann
Runtime: 1 min 40 s
Log: https://0x0.st/x
\`\`\`
epoch 1
&lt;!channel&gt; token ******** '''
ValueError: boom
\`\`\``,
    ]);
  });

  test("gets no more than it takes", async () => {
    const slack = use(startSlack());
    await deliver(
      "slack",
      slack.address,
      pack({ command: "<".repeat(90_000), errorMessage: "&".repeat(90_000) }, "<".repeat(90_000)),
    );
    expect(slack.texts).toHaveLength(1);
  });

  test("that does not know the address says so", async () => {
    const slack = use(startSlack());
    expect(await deliver("slack", `${slack.url}/services/other`, pack())).toMatchObject({
      ok: false,
      error: { message: "Slack answered 404: no_service", isFinal: true },
    });
  });
});

describe("ntfy", () => {
  test("shows a failure with high priority, an end without", async () => {
    const ntfy = use(startNtfy("tk_1"));
    await deliver("ntfy", ntfy.address, pack(), "tk_1");
    await deliver("ntfy", ntfy.address, pack({ status: "completed", errorMessage: null }), "tk_1");
    expect(ntfy.published[0]).toMatchObject({
      topic: "gpu-jobs",
      title: "Job a failed on atlas",
      priority: 4,
      tags: ["rotating_light"],
    });
    expect(ntfy.published[0]?.message).toContain("ValueError: boom");
    expect(ntfy.published[0]?.message).not.toContain("hunter2");
    expect(ntfy.published[1]).not.toHaveProperty("priority");
    expect(ntfy.published[1]?.message).not.toContain("epoch 1");
  });

  test("shows one notification, however often it is sent, and another for another event", async () => {
    const ntfy = use(startNtfy("tk_1"));
    const longest = "a".repeat(64) as EndedJob["id"];
    for (const fields of [{}, {}, { id: longest }, { status: "killed" }] as const)
      await deliver("ntfy", ntfy.address, pack(fields), "tk_1");
    expect(ntfy.published).toHaveLength(4);
    expect(ntfy.shown().map(({ title }) => title)).toEqual([
      "Job a failed on atlas",
      `Job ${longest} failed on atlas`,
      "Job a killed on atlas",
    ]);
  });

  test("gets no more than it takes, and says when the token is wrong", async () => {
    const ntfy = use(startNtfy("tk_1"));
    for (const letter of ["ü", "漢", "😀", '"'])
      await deliver("ntfy", ntfy.address, pack({ command: letter.repeat(9000) }, letter.repeat(9000)), "tk_1");
    expect(ntfy.published).toHaveLength(4);
    expect(await deliver("ntfy", ntfy.address, pack(), "tk_2")).toMatchObject({
      error: { message: "ntfy answered 401: unauthorized", isFinal: true },
    });
  });
});

describe("a webhook", () => {
  test("gets the job, signed, and the same event only once however often it is sent", async () => {
    const webhook = use(startWebhook(SECRET));
    for (let round = 0; round < 2; round++) await deliver("webhook", webhook.url, pack(), SECRET);
    expect(webhook.requests).toHaveLength(2);
    expect(webhook.events).toHaveLength(1);
    expect(webhook.events[0]).toMatchObject({ id: "nexus-a-team-failed-1700000000", type: "job.failed" });
    expect(webhook.events[0]?.data).toMatchObject({
      title: "Job a failed on atlas",
      job: { id: "a", status: "failed", exit_code: 1, env: {}, jobrc: null, command: "train --key ******** '<!here>'" },
      log_url: "https://0x0.st/x",
    });
  });

  test("refuses what is signed with another key or not at all", async () => {
    const webhook = use(startWebhook(SECRET));
    const other = `whsec_${Buffer.from("another key").toString("base64")}`;
    for (const secret of [other, undefined]) {
      expect(await deliver("webhook", webhook.url, pack(), secret)).toMatchObject({ error: { isFinal: true } });
    }
  });
});

describe("a service that gets too many messages is tried again", () => {
  test.each([
    ["slack", () => startSlack(), "Slack answered 429: Too Many Requests", 30],
    ["webhook", () => startWebhook(SECRET), "the webhook answered 429: Too Many Requests", 30],
    ["ntfy", () => startNtfy(SECRET), "ntfy answered 429: limit reached: too many requests", null],
  ] as const)("when it says so, if it does: %s", async (type, start, message, retryAfterS) => {
    const service = use<StandIn & Readonly<{ address?: string }>>(start());
    service.limitRate({ requests: 1, retryAfterS: 30 });
    const send = () => deliver(type, service.address ?? service.url, pack(), SECRET);
    const error = { message, isFinal: false, isUncertain: false, retryAfterS };
    expect(await send()).toMatchObject({ ok: true });
    expect(await send()).toEqual({ ok: false, error });
    expect(await send()).toMatchObject({ ok: true });
  });
});

const useSmtp = async (): Promise<SmtpStandIn> => {
  const smtp = await startSmtp();
  onTestFinished(() => smtp.stop());
  return smtp;
};

describe("an e-mail", () => {
  test("arrives with subject, text and an id that is the same each time", async () => {
    const smtp = await useSmtp();
    const nasty = pack({ nodeName: "atlas\r\nBcc: everyone@example.org" });
    for (const parcel of [pack(), pack(), nasty])
      expect(await deliver("email", smtp.url, parcel)).toMatchObject({ ok: true });
    const [first, second, third] = smtp.mails;
    expect(first).toMatchObject({ from: "nexus@example.org", to: ["ann@example.org", "bob@example.org"] });
    expect(first?.text).toContain("Subject: Job a failed on atlas\n");
    expect(first?.text).toContain("Message-ID: <nexus-a-team-failed-1700000000@atlas>\n");
    expect(first?.text).toContain(
      "Error: Job failed with exit code 1. ValueError: boom\nCommand: train --key ********",
    );
    expect(first?.text).toContain("The end of its log:\n\nepoch 1\n");
    expect(second?.text).toContain("Message-ID: <nexus-a-team-failed-1700000000@atlas>\n");
    expect(third?.text).not.toMatch(/^Bcc:/m);
  });

  test.each([
    ["MAIL", "421 4.3.2 come back later", false],
    ["MAIL", "550 5.7.1 not from you", true],
    ["AUTH", "535 5.7.8 wrong user or password", true],
  ])("that is refused at %s with %p is final: %p", async (command, answer, isFinal) => {
    const smtp = await useSmtp();
    smtp.answerNext(command, answer);
    const error = { isFinal, message: expect.stringContaining(answer) };
    expect(await deliver("email", smtp.url, pack())).toMatchObject({ ok: false, error });
  });

  test("to a server that is not there or hangs is tried again", async () => {
    const smtp = await useSmtp();
    expect(await deliver("email", "smtp://127.0.0.1:1", pack())).toMatchObject({ error: { isFinal: false } });
    smtp.hang();
    const startedAt = performance.now();
    expect(await deliver("email", smtp.url, pack(), undefined, 100)).toMatchObject({ error: { isFinal: false } });
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});

describe("of a batch and of the machine", () => {
  const wrapping = { channel: "team", createdAt: 1_700_000_000.5, secrets: { API_KEY: "hunter2-secret" } };
  const lastJob = createEnded("z", { command: "train --key hunter2-secret", jobrc: "set -x" });
  const counts = { total: 14, completed: 1, failed: 11, killed: 1, removed: 1, failedIds: ["a", "b"] };
  const batch: Parcel = {
    ...wrapping,
    subject: {
      kind: "batch",
      event: "batch_done",
      batch: { id: "B-1", ...counts },
      lastJob,
      logUrl: "https://0x0.st/x",
    },
  };
  const machine: Parcel = {
    ...wrapping,
    subject: {
      kind: "machine",
      event: "recovered",
      nodeName: "atlas lab",
      figures: "Score: 90 of 100\nMemory: 4 % used",
    },
  };
  const title = "Batch: 13 of 14 done, 11 failed, on atlas";
  const text =
    "Jobs: 1 completed, 11 failed, 1 killed, 1 removed\nFailed: a b …\nLast command: train --key ********\nUser: ann";

  test("Slack and ntfy hear title and figures, and no log", async () => {
    const [slack, ntfy] = [use(startSlack()), use(startNtfy("tk_1"))];
    for (const parcel of [batch, machine]) {
      expect(await deliver("slack", slack.address, parcel)).toMatchObject({ ok: true });
      expect(await deliver("ntfy", ntfy.address, parcel, "tk_1")).toMatchObject({ ok: true });
    }
    const news = "*atlas lab is healthy again*\nScore: 90 of 100\nMemory: 4 % used";
    expect(slack.texts).toEqual([`*${title}*\n${text}`, news]);
    const shown = ntfy.published.map(({ title, message, tags = [] }) => [title, message, tags]);
    expect(shown).toEqual([
      [title, text, []],
      ["atlas lab is healthy again", "Score: 90 of 100\nMemory: 4 % used", ["white_check_mark"]],
    ]);
  });

  test("a webhook gets what they are, and a job only where there is one", async () => {
    const webhook = use(startWebhook(SECRET));
    for (const parcel of [batch, machine]) await deliver("webhook", webhook.url, parcel, SECRET);
    const [ofBatch, ofMachine] = webhook.events;
    expect(ofBatch).toMatchObject({ id: "nexus-z-team-batch_done-1700000000.5", type: "batch.done" });
    expect(ofBatch?.data).toEqual({
      title,
      job: expect.objectContaining({ id: "z", command: "train --key ********", jobrc: null }),
      log_tail: "",
      log_url: "https://0x0.st/x",
      batch: { id: "B-1", ...counts },
    });
    expect(ofMachine).toEqual({
      id: "nexus-machine-1700000000-team-recovered-1700000000.5",
      type: "machine.recovered",
      data: {
        title: "atlas lab is healthy again",
        job: null,
        machine: "Score: 90 of 100\nMemory: 4 % used",
        log_tail: "",
        log_url: null,
        batch: null,
      },
    });
  });

  test("an e-mail says it in its subject, with an id of its own", async () => {
    const smtp = await useSmtp();
    for (const parcel of [batch, machine]) await deliver("email", smtp.url, parcel);
    const [ofBatch = "", ofMachine = ""] = smtp.mails.map((mail) => mail.text);
    expect(ofBatch).toContain(`Subject: ${title}\n`);
    expect(ofBatch).toContain("Message-ID: <nexus-z-team-batch_done-1700000000.5@atlas>\n");
    expect(ofBatch).not.toContain("The end of its log");
    expect(ofMachine).toContain("Subject: atlas lab is healthy again\n");
    expect(ofMachine).toContain("<nexus-machine-1700000000-team-recovered-1700000000.5@atlas-lab>\n");
    expect(ofMachine).toContain("Score: 90 of 100\nMemory: 4 % used");
  });

  test.each([
    ["discord", createDiscord()],
    ["phone", createTwilio("http://127.0.0.1:1")],
    ["nullpointer", createNullpointer("http://127.0.0.1:1")],
  ])("%s, which jobs ask for, sends nothing", async (channel, courier) => {
    for (const parcel of [batch, machine])
      expect(await courier.deliver({ ...parcel, channel }, AbortSignal.timeout(1000))).toMatchObject({
        error: { message: `${channel} hears of jobs only`, isFinal: true },
      });
  });
});
