import { expect, test } from "bun:test";
import { createEnded, createRunning } from "../../../../tests/support/samples.ts";
import { type EndedJob, NO_OUTPUTS, type Outputs } from "../jobs/job.ts";
import type { NotifyChannel } from "./channel-settings.ts";
import { createServerChannels, JOB_CHANNELS } from "./channels.ts";
import { maskJob } from "./mask-job.ts";
import type { JobNews } from "./news.ts";
import { describeNotice, titleNotice } from "./notice-text.ts";
import { planJobNotices } from "./plan-notices.ts";

const KEPT: Outputs = { ...NO_OUTPUTS, state: "kept", files: 3, bytes: 1.2e9, keptUntil: 1_700_000_000 };

const createChannel = (name: string, users: readonly string[]): NotifyChannel => ({
  ...{ name, type: "slack", url: "https://x", secret: null, from: null, to: [], events: ["failed"], users },
  digest: false,
});

const channels = [
  ...JOB_CHANNELS,
  ...createServerChannels([createChannel("all", []), createChannel("ann", ["ann"]), createChannel("bob", ["bob"])]),
];

const plan = (before: EndedJob, after: EndedJob) =>
  planJobNotices(before, after, { channels, now: 100, loadSecrets: () => ({}) });

const tell = (event: JobNews["event"], job: EndedJob): string => {
  const facts = { kind: "job", event, job, logLines: [], logUrl: null } as const;
  return `${titleNotice(facts)}\n${describeNotice(facts)}`;
};

test("that files go is told to the server's channels of their owner, whatever events these are told of, and once", () => {
  const job = createEnded("a", { outputs: KEPT, notifications: ["discord", "phone"] });
  const warned = { ...job, outputs: { ...KEPT, isWarned: true } };
  expect(plan(job, warned).map(({ channel, subject }) => [channel, subject.event])).toEqual([
    ["all", "files_expire"],
    ["ann", "files_expire"],
  ]);
  expect(plan(warned, { ...warned, notes: ["x"] })).toEqual([]);
  expect(plan(createEnded("a"), job)).toEqual([]);
});

test("a message of an end waits for what the job made, for 5 s at most; that of a job that made nothing does not", () => {
  const before = createRunning("a", { user: "ann" });
  const dueAt = (outputs: Outputs): readonly number[] =>
    planJobNotices(before, createEnded("a", { status: "failed", outputs }), {
      channels,
      now: 100,
      loadSecrets: () => ({}),
    }).map((notice) => notice.dueAt);
  expect(dueAt({ ...NO_OUTPUTS, state: "moving" })).toEqual([105, 105]);
  expect(dueAt(NO_OUTPUTS)).toEqual([100, 100]);
});

test("messages say what is kept, until when, and what else there is to say", () => {
  const job = createEnded("a", { outputs: KEPT, notes: ["x is kept as x~1: its name was taken"] });
  expect(tell("completed", job)).toContain(
    "\nFiles: 3 files, 1.2 GB are kept: nx pull a\nNote: x is kept as x~1: its name was taken",
  );
  expect(tell("completed", createEnded("a"))).not.toContain("Files");
  const leftOut = { files: 2, bytes: 4 };
  expect(tell("completed", createEnded("a", { outputs: { ...KEPT, leftOut } }))).toContain(
    "\nFiles: 3 files, 1.2 GB are kept: nx pull a (left out: 2 files, 4 B)",
  );
  expect(tell("failed", createEnded("a", { outputs: { ...NO_OUTPUTS, leftOut } }))).toContain(
    "\nFiles: nothing is kept (left out: 2 files, 4 B)",
  );
  const warning = tell("files_expire", { ...job, outputs: { ...KEPT, isWarned: true } });
  expect(warning).toStartWith("Job a made files that go soon on atlas\n");
  expect(warning).toContain("\nFiles: 3 files, 1.2 GB go on 2023-11-14 22:13 UTC: nx pull a");
  const lost = { ...NO_OUTPUTS, state: "failed", isWarned: true, keptUntil: 1_700_000_000 } as const;
  expect(tell("files_expire", { ...job, outputs: lost })).toContain(
    "\nFiles: what job a wrote goes on 2023-11-14 22:13 UTC: nx pull a",
  );
});

test("a secret in a note is masked", () => {
  expect(maskJob(createEnded("a", { notes: ["hunter3secret.txt is kept"] }), ["hunter3secret"]).notes).toEqual([
    "********.txt is kept",
  ]);
});
