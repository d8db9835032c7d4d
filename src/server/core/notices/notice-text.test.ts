import { describe, expect, test } from "bun:test";
import { createEnded, createQueued, createRunning } from "../../../../tests/support/samples.ts";
import type { EndedJob, Job } from "../jobs/job.ts";
import { describeMachine } from "./machine-notice.ts";
import type { Batch, JobNews } from "./news.ts";
import { describeNotice, type NoticeFacts, nameNode, quoteLog, titleNotice } from "./notice-text.ts";

const tellJob = (event: JobNews["event"], job: Job, logUrl: string | null = null) =>
  ({ kind: "job", event, job, logUrl, logLines: ["one", "two"] }) as const;

const tellBatch = (counts: Partial<Batch>) => {
  const none = { id: "b", total: 3, completed: 0, failed: 0, killed: 0, removed: 0, failedIds: [] };
  const lastJob = createEnded("z", { command: "x".repeat(501) });
  return { kind: "batch", event: "batch_done", batch: { ...none, ...counts }, lastJob, logUrl: null } as const;
};

const MACHINE: NoticeFacts = { kind: "machine", event: "unhealthy", nodeName: "atlas", figures: "Score: 3 of 100" };

const describeEnded = (overrides: Partial<EndedJob>, logUrl: string | null = null): readonly string[] =>
  describeNotice(tellJob("failed", createEnded("a", overrides), logUrl)).split("\n");

describe("the text of a message about a job", () => {
  test("has a line for what is known, and none for what is not", () => {
    expect(describeEnded({ completedAt: 200 })).toEqual([
      "Command: python train.py",
      "User: ann",
      "Runtime: 0 min 0 s",
    ]);
    const known = {
      errorMessage: "It broke",
      gitTag: "t",
      gitBranch: "main",
      gitRepoUrl: "git@x:y",
      wandbUrl: "https://w",
    };
    expect(describeEnded({ ...known, completedAt: 200 }, "https://log")).toEqual([
      "Error: It broke",
      "Command: python train.py",
      "User: ann",
      "Runtime: 0 min 0 s",
      "Git: t main git@x:y",
      "W&B: https://w",
      "Log: https://log",
    ]);
    expect(describeNotice(tellJob("started", createRunning("a")))).toBe("Command: python train.py\nUser: ann");
    expect(describeNotice(tellJob("started", createQueued("a")))).toBe("Command: python train.py\nUser: ann");
  });

  test("tells how much more memory a job has than it booked, and what may come of it", () => {
    const job = createRunning("a", { vramMib: 4096, vramPeakMib: 7270 });
    const news = tellJob("vram_exceeded", job);
    expect(titleNotice(news)).toBe(`Job a has more GPU memory than it booked on ${job.nodeName}`);
    expect(describeNotice(news).split("\n")[0]).toBe(
      "GPU memory: Used 7.1 GiB of GPU memory, booked 4 GiB: others on that GPU may run out of it, and above 1.2 times the job may be ended for them",
    );
  });

  test("tells for how long a job has done nothing, and what becomes of it", () => {
    const toldStalls = { idle: { forS: 1800, limitS: 3600 }, silence: { forS: 900, limitS: null } };
    const job = createRunning("a", { toldStalls });
    const [idle, silent] = [tellJob("gpus_idle", job), tellJob("log_silent", job)];
    expect([idle, silent].map(titleNotice)).toEqual([
      `Job a leaves its GPUs idle on ${job.nodeName}`,
      `Job a prints nothing on ${job.nodeName}`,
    ]);
    expect([idle, silent].map((news) => describeNotice(news).split("\n")[0])).toEqual([
      "Stalled: GPUs idle for 30 min: the job is ended after 1 h",
      "Stalled: Log silent for 15 min",
    ]);
  });

  test.each([
    [59.9, "0 min 59 s"],
    [60, "1 min 0 s"],
    [3599, "59 min 59 s"],
    [3600, "1 h 0 min"],
    [7380, "2 h 3 min"],
    [100_000, "27 h 46 min"],
  ])("tells a runtime of %d s as %s", (seconds, text) => {
    expect(describeEnded({ startedAt: 200, completedAt: 200 + seconds })).toContain(`Runtime: ${text}`);
  });

  test("has at most 500 characters of its command", () => {
    expect(describeEnded({ command: "x".repeat(500) })[0]).toBe(`Command: ${"x".repeat(500)}`);
    expect(describeEnded({ command: "x".repeat(501) })[0]?.length).toBe("Command: ".length + 500);
  });

  test("quotes the end of the log only of one that failed or was killed", () => {
    for (const [event, text] of [
      ["failed", "one\ntwo"],
      ["killed", "one\ntwo"],
      ["completed", ""],
      ["started", ""],
    ] as const)
      expect(quoteLog(tellJob(event, createEnded("a")))).toBe(text);
    expect([quoteLog(MACHINE), quoteLog(tellBatch({}))]).toEqual(["", ""]);
  });
});

describe("the text of a message about a batch", () => {
  test("counts what there is of each, names the first that failed, and says if there are more", () => {
    const all = { completed: 1, failed: 2, killed: 3, removed: 4, total: 10, failedIds: ["f", "g"] };
    expect(describeNotice(tellBatch(all)).split("\n").slice(0, 2)).toEqual([
      "Jobs: 1 completed, 2 failed, 3 killed, 4 removed",
      "Failed: f g",
    ]);
    expect(
      describeNotice(tellBatch({ failed: 3, failedIds: ["f", "g"] }))
        .split("\n")
        .slice(0, 2),
    ).toEqual(["Jobs: 3 failed", "Failed: f g …"]);
  });

  test("tells of its last job, whose command has at most 500 characters", () => {
    const [jobs, command, user, ...more] = describeNotice(tellBatch({ completed: 3 })).split("\n");
    expect([jobs, command?.length, user, ...more]).toEqual([
      "Jobs: 3 completed",
      "Last command: ".length + 500,
      "User: ann",
    ]);
  });

  test("has a title that counts as done what ended, not what was removed", () => {
    expect(titleNotice(tellBatch({ completed: 1, killed: 1, removed: 1 }))).toBe("Batch: 2 of 3 done, on atlas");
    expect(titleNotice(tellBatch({ completed: 1, failed: 2 }))).toBe("Batch: 3 of 3 done, 2 failed, on atlas");
  });
});

test("titles name the job or the machine, and what happened", () => {
  expect(titleNotice(tellJob("killed", createEnded("a")))).toBe("Job a killed on atlas");
  expect(titleNotice(MACHINE)).toBe("atlas is unhealthy");
  expect(titleNotice({ ...MACHINE, event: "recovered" })).toBe("atlas is healthy again");
  expect([tellJob("started", createRunning("a")), tellBatch({}), MACHINE].map(nameNode)).toEqual(
    Array(3).fill("atlas"),
  );
});

test("a machine is told of by the figures that are known", () => {
  const disk = { place: "/" as const, total: 1, used: 1, free: 1.55 * 1024 ** 3, percent_used: 96.6 };
  const system = { cpu_percent: 11.6, memory_percent: 40.2, uptime: 1, load_avg: [0, 0, 0] };
  const network = { ping: 20.4, download_speed: null, upload_speed: null };
  expect(describeMachine(29.7, { disk, system, network }).split("\n")).toEqual([
    "Score: 30 of 100",
    "Disk /: 97 % used, 1.6 GiB free",
    "Processor: 12 % busy",
    "Memory: 40 % used",
    "Ping: 20 ms",
  ]);
  expect(
    describeMachine(30, { disk: { ...disk, place: "server_dir" }, system: null, network: null }).split("\n"),
  ).toEqual(["Score: 30 of 100", "Disk: 97 % used, 1.6 GiB free"]);
  expect(describeMachine(30, { disk: null, system: null, network: { ...network, ping: null } })).toBe(
    "Score: 30 of 100",
  );
});
