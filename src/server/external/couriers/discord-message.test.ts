import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createEnded, createRunning } from "../../../../tests/support/samples.ts";
import { createDiscordMessage, type DiscordFacts } from "./discord-message.ts";

const facts = (overrides: Partial<DiscordFacts> = {}): DiscordFacts => ({
  job: createEnded("a", { status: "failed", exitCode: 1, errorMessage: "Job failed with exit code 1" }),
  event: "failed",
  userId: "42",
  logLines: ["epoch 1", "RuntimeError: boom"],
  logUrl: null,
  ...overrides,
});

const fieldOf = (given: DiscordFacts, name: string): string | undefined =>
  createDiscordMessage(given).embeds[0]?.fields.find((field) => field.name === name)?.value;

describe("a message to Discord", () => {
  test("mentions the user, and tells the job, its command, error, user, GPUs and the end of its log", () => {
    const message = createDiscordMessage(facts());
    expect(message.content).toBe("<@42> Job a failed on atlas");
    expect(message.allowed_mentions).toEqual({ parse: [], users: ["42"] });
    expect(message.embeds[0]?.title).toBe("Job a failed");
    expect(message.embeds[0]?.description).toBe("```\nepoch 1\nRuntimeError: boom\n```");
    expect(message.embeds[0]?.fields.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      "Command: ```\npython train.py\n```",
      "Error: ```\nJob failed with exit code 1\n```",
      "User: `ann`",
      "GPUs: 0",
    ]);
  });

  test("tells for how long a job has done nothing", () => {
    const job = createRunning("a", { toldStalls: { silence: { forS: 900, limitS: 1800 } } });
    const given = facts({ job, event: "log_silent" });
    expect(createDiscordMessage(given).embeds[0]?.title).toBe("Job a prints nothing");
    expect(fieldOf(given, "Stalled")).toBe("Log silent for 15 min: the job is ended after 30 min");
    expect(fieldOf(facts({ job, event: "gpus_idle" }), "Stalled")).toBeUndefined();
  });

  test("tells where the code came from, the W&B page and the uploaded log when they are known", () => {
    const job = createEnded("a", {
      gitRepoUrl: "git@example.org:lab/vision.git",
      gitBranch: "main",
      gitTag: "nexus-a",
      wandbUrl: "https://wandb.ai/lab/vision/runs/1",
    });
    const given = facts({ job, event: "completed", logUrl: "https://0x0.st/abc.txt" });
    expect(fieldOf(given, "Git tag")).toBe("`nexus-a`");
    expect(fieldOf(given, "Branch")).toBe("`main`");
    expect(fieldOf(given, "Repository")).toBe("`git@example.org:lab/vision.git`");
    expect(fieldOf(given, "W&B")).toBe("https://wandb.ai/lab/vision/runs/1");
    expect(fieldOf(given, "Log")).toBe("https://0x0.st/abc.txt");
  });

  test.each(["completed", "started"] as const)("shows no log of a job that is %s", (event) => {
    const job = event === "started" ? createRunning("a") : createEnded("a");
    expect(createDiscordMessage(facts({ job, event })).embeds[0]?.description).toBeUndefined();
  });

  test("of a start stays one of a start, though the job has ended since", () => {
    const message = createDiscordMessage(facts({ event: "run_found" }));
    expect(message.content).toBe("<@42> Job a started on atlas");
    expect(message.embeds[0]?.description).toBeUndefined();
  });

  test.each(["@everyone", "12 <@&5>", "", "4".repeat(30)])("mentions nobody when the user's id is %p", (userId) => {
    const message = createDiscordMessage(facts({ userId }));
    expect(message.content).toBe("Job a failed on atlas");
    expect(message.allowed_mentions).toEqual({ parse: [], users: [] });
  });

  test("keeps a text in its block, whatever marks it has", () => {
    const job = createRunning("a", { command: "echo ```@everyone``` `x`", user: "`ann`\n**x**" });
    expect(fieldOf(facts({ job, event: "started" }), "Command")?.match(/```/g)).toHaveLength(2);
    expect(fieldOf(facts({ job, event: "started" }), "User")).toBe("`'ann' **x**`");
  });

  test("keeps the start of a long command and the end of a long log", () => {
    const job = createEnded("a", { status: "failed", command: `first${"x".repeat(5000)}last` });
    const message = createDiscordMessage(facts({ job, logLines: ["oldest", "y".repeat(9000), "newest"] }));
    const command = message.embeds[0]?.fields[0]?.value ?? "";
    expect(command).toStartWith("```\nfirst");
    expect(command).toEndWith("x…\n```");
    expect(message.embeds[0]?.description).toStartWith("```\n…y");
    expect(message.embeds[0]?.description).toEndWith("newest\n```");
  });

  test("is within Discord's limits, whatever the job", () => {
    const text = fc.string({ unit: "binary", maxLength: 100 });
    const long = fc.oneof(
      text,
      text.map((part) => part.repeat(100)),
      fc.constant("`".repeat(9000)),
    );
    fc.assert(
      fc.property(fc.array(long, { minLength: 9, maxLength: 9 }), (texts) => {
        const [command = "", user = "", gitTag = "", gitBranch = "", gitRepoUrl = "", errorMessage = "", ...rest] =
          texts;
        const [line = "", logUrl = "", wandbUrl = ""] = rest;
        const job = createEnded("a", {
          status: "failed",
          command,
          user,
          gitTag,
          gitBranch,
          gitRepoUrl,
          errorMessage,
          wandbUrl,
        });
        const { content, embeds } = createDiscordMessage(facts({ job, logLines: [line, line], logUrl }));
        const [embed] = embeds;
        const fields = embed?.fields ?? [];
        const size = fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
        expect(content.length).toBeLessThanOrEqual(2000);
        expect(embed?.title.length).toBeLessThanOrEqual(256);
        expect(embed?.description?.length ?? 0).toBeLessThanOrEqual(4096);
        expect(fields.every(({ value }) => value.length > 0 && value.length <= 1024)).toBe(true);
        expect(size + (embed?.title.length ?? 0) + (embed?.description?.length ?? 0)).toBeLessThanOrEqual(6000);
        expect(JSON.parse(JSON.stringify(embeds))).toEqual(JSON.parse(JSON.stringify(embeds).toWellFormed()));
      }),
      { numRuns: 200 },
    );
  });
});
