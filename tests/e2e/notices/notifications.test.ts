import { expect, onTestFinished, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireDelivery } from "../../../src/wire/delivery.ts";
import { stopChild } from "../../support/programs.ts";
import { startSlack } from "../../support/stand-ins/channels.ts";
import { type DiscordStandIn, startDiscord } from "../../support/stand-ins/discord.ts";
import { letPass, waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const enter = async (): Promise<Readonly<{ world: World; discord: DiscordStandIn }>> => {
  const world = await createWorld();
  onTestFinished(() => world.dispose());
  const discord = startDiscord();
  onTestFinished(() => discord.stop());
  return { world, discord };
};

const notify = (discord: DiscordStandIn) => ({
  num_gpus: 0,
  notifications: ["discord"],
  env: { DISCORD_USER_ID: "42", DISCORD_WEBHOOK_URL: discord.webhookUrl, API_TOKEN: "hunter2-is-secret" },
});

const listDeliveries = async (world: World, id: string): Promise<readonly WireDelivery[]> =>
  (await (await fetch(`${world.url}/v1/jobs/${id}/deliveries`)).json()) as readonly WireDelivery[];

const followEvents = async (world: World) => {
  const hangUp = new AbortController();
  onTestFinished(() => hangUp.abort());
  const { body } = await fetch(`${world.url}/v1/events`, { signal: hangUp.signal });
  const reader = body?.getReader();
  let text = "";
  const until = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) {
      const part = await reader?.read();
      if (part?.value === undefined) throw new Error(`the events ended without ${wanted}`);
      text += new TextDecoder().decode(part.value);
    }
  };
  await until("retry:");
  return { until };
};

test("Discord hears of a job's start and of its failure, with the end of its log and none of its secrets", async () => {
  const { world, discord } = await enter();
  await world.startServer();
  const events = await followEvents(world);
  const command = "for i in $(seq 30); do echo line $i; done; echo token $API_TOKEN @everyone; exit 3";
  const { id } = await world.submit({ ...notify(discord), command });
  await waitUntil(() => discord.messages.size === 2, "both messages are there");
  expect(discord.texts()).toEqual([
    expect.stringMatching(new RegExp(`^<@42> Job ${id} started on `)),
    expect.stringMatching(new RegExp(`^<@42> Job ${id} failed on `)),
  ]);
  expect(discord.mentions).toEqual(["42", "42"]);
  const [first, last] = [...discord.messages.entries()];
  const log = last?.[1].embeds?.[0]?.description ?? "";
  expect(log).toContain("line 30\ntoken ******** @everyone");
  expect(log).not.toContain("line 10\n");
  expect(log.split("\n")).toHaveLength(20 + 2);
  expect(log).not.toContain("Script done");
  expect(JSON.stringify([...discord.messages.values()])).not.toContain("hunter2");
  await waitUntil(async () => {
    const { notification_messages } = await world.job(id);
    return notification_messages["discord_start_job"] === first?.[0];
  }, "the id is kept");
  await events.until(`"notification_messages":{"discord_start_job":"${first?.[0]}"}`);
  await waitUntil(
    async () => (await listDeliveries(world, id)).every(({ state }) => state === "delivered"),
    "both are written down",
  );
  const shown = await world.nx(["get", id]);
  expect(shown.stdout).toContain("told      discord, started: delivered");
  expect(shown.stdout).toContain("told      discord, failed: delivered");
  for (const name of ["jobs.db", "jobs.db-wal"]) {
    expect(readFileSync(join(world.folder, "server", name)).includes(discord.webhookUrl)).toBe(false);
  }
});

test("a Discord that hangs delays no job, and what it missed arrives after a crash, once", async () => {
  const { world, discord } = await enter();
  const server = await world.startServer();
  discord.failAlways({ kind: "hang" });
  const { id } = await world.submit({ ...notify(discord), command: "true" });
  expect((await world.waitFor(id)).status).toBe("completed");
  await waitUntil(() => discord.requests.length === 1, "it was asked");
  expect((await listDeliveries(world, id)).map(({ event, state }) => `${event} ${state}`)).toEqual([
    "started sending",
    "completed waiting",
  ]);
  await stopChild(server, "SIGKILL");
  discord.failAlways(null);
  await world.startServer();
  await waitUntil(() => discord.messages.size === 2, "both messages are there");
  await waitUntil(
    async () => (await listDeliveries(world, id)).every(({ state }) => state === "delivered"),
    "both are written down",
  );
  expect(discord.texts().map((text) => text.split(" ")[3])).toEqual(["started", "completed"]);
  const { stdout } = await world.nx(["get", id]);
  expect(stdout).toContain("discord, started: delivered, perhaps twice: an earlier attempt may have arrived\n");
  expect(stdout).toContain("discord, completed: delivered\n");
});

test("a webhook that is gone is told by nx get, and by no retry", async () => {
  const { world, discord } = await enter();
  await world.startServer();
  const env = { DISCORD_USER_ID: "42", DISCORD_WEBHOOK_URL: `${discord.url}/api/webhooks/1/gone` };
  const { id } = await world.submit({ ...notify(discord), env, command: "true" });
  await waitUntil(async () => {
    const deliveries = await listDeliveries(world, id);
    return deliveries.length === 2 && deliveries.every(({ state }) => state === "dead");
  }, "it was given up");
  const shown = await world.nx(["get", id]);
  expect(shown.stdout).toContain("told      discord, completed: given up: Discord answered 404: Unknown Webhook");
  expect(discord.requests).toHaveLength(2);
});

test("nx notify test says what came back, of Discord and of the server's own channels", async () => {
  const { world, discord } = await enter();
  const slack = startSlack();
  onTestFinished(() => slack.stop());
  mkdirSync(join(world.folder, "server"));
  writeFileSync(
    join(world.folder, "server", "config.toml"),
    `[notify.team]\ntype = "slack"\nurl = "${slack.address}"\n[notify.gone]\ntype = "slack"\nurl = "${slack.url}/no"\n`,
  );
  await world.startServer();
  const given = ["-e", `DISCORD_WEBHOOK_URL=${discord.webhookUrl}`, "-e", "DISCORD_USER_ID=42"];
  const one = await world.nx(["notify", "test", "discord", ...given]);
  expect(one).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^discord: delivered after 0\.\d s: \d+\n$/),
  });
  expect(discord.texts()).toEqual([expect.stringMatching(/^<@42> Job test completed on /)]);
  const all = await world.nx(["notify", "test"]);
  expect(all.exitCode).toBe(1);
  expect(all.stdout).toMatch(/^team: delivered .*: it was taken\ngone: failed .*: Slack answered 404: no_service\n$/);
  expect(slack.texts).toHaveLength(1);
});

test("a sweep whose last waiting job is removed is told of then", async () => {
  const { world } = await enter();
  const slack = startSlack();
  onTestFinished(() => slack.stop());
  mkdirSync(join(world.folder, "server"));
  writeFileSync(
    join(world.folder, "server", "config.toml"),
    `[notify.team]\ntype = "slack"\nurl = "${slack.address}"\ndigest = true\n`,
  );
  await world.startServer();
  for (const gpu of ["0", "1"]) await world.nx(["blacklist", "add", gpu]);
  const jobs = [
    { job_id: "bad", command: "exit 3", user: "ann", num_gpus: 0 },
    { job_id: "waits", command: "train --key $KEY", user: "ann", num_gpus: 1, env: { KEY: "hunter2secret" } },
  ];
  expect((await world.post("/v1/jobs/batch", jobs)).status).toBe(201);
  await world.waitFor("bad");
  expect((await world.nx(["remove", "-y", "waits"])).exitCode).toBe(0);
  await waitUntil(() => slack.texts.length === 1, "the digest is there");
  expect(slack.texts[0]).toMatch(
    /^\*Batch: 1 of 2 done, 1 failed, on .*\*\nJobs: 1 failed, 1 removed\nFailed: bad\nLast command: train --key \$KEY\nUser: ann$/,
  );
});

test("a server that is killed again and again loses no message, and repeats at most one a kill", async () => {
  const { world, discord } = await enter();
  const KILLS = 4;
  let server = await world.startServer();
  const ids: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    for (let index = 0; index < 3; index++) ids.push((await world.submit({ ...notify(discord), command: "true" })).id);
    const [before, patience] = [discord.requests.length, 40 * kill];
    await waitUntil(() => discord.requests.length > before, "something is being sent");
    await letPass(patience);
    await stopChild(server, "SIGKILL");
    server = await world.startServer();
  }
  await waitUntil(async () => {
    const deliveries = (await Promise.all(ids.map((id) => listDeliveries(world, id)))).flat();
    const completed = deliveries.filter(({ event }) => event === "completed");
    return completed.length === ids.length && deliveries.every(({ state }) => state === "delivered");
  }, "all are written down");
  const events = await Promise.all(
    ids.map(async (id) => (await listDeliveries(world, id)).map(({ event }) => `${id} ${event}`)),
  );
  const sent = discord.texts().map((text) => text.split(" ").slice(2, 4).join(" "));
  expect([...new Set(sent)].toSorted()).toEqual(events.flat().toSorted());
  expect(sent.length).toBeLessThanOrEqual(events.flat().length + KILLS);
});

test("nx history says why a job failed, below its table", async () => {
  const { world } = await enter();
  await world.startServer();
  const { id } = await world.submit({ num_gpus: 0, command: "echo 'RuntimeError: CUDA out of memory.'; exit 1" });
  const { id: plain } = await world.submit({ num_gpus: 0, command: "exit 2" });
  await Promise.all([id, plain].map((each) => world.waitFor(each)));
  expect((await world.job(id)).error_message).toBe("Job failed with exit code 1. The GPU ran out of memory");
  expect((await world.job(plain)).error_message).toBe("Job failed with exit code 2");
  const { stdout } = await world.nx(["history"]);
  expect(stdout).toEndWith(`\n\nID      WHY\n${id}  The GPU ran out of memory\n`);
});
