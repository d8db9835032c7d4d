import { describe, expect, test } from "bun:test";
import { createEnded, createQueued, createRunning, createStarting } from "../../../tests/support/samples.ts";
import { createHarness } from "../../../tests/support/tasks.ts";
import { type Job, NO_OUTPUTS } from "../core/jobs/job.ts";
import { recordChange } from "./record-change.ts";

const listWoken = (before: Job, after: Job | null, isHeardOf = false): readonly string[] => {
  const woken: string[] = [];
  const wake = (name: string) => () => void woken.push(name);
  const wakes = { running: wake("running"), queues: wake("queues"), outbox: wake("outbox"), outputs: wake("outputs") };
  recordChange({ ...createHarness().context, wakes }, { before, after, reason: "why", isHeardOf, caused: [] });
  return woken;
};

describe("whom a change of a job gives work", () => {
  test.each<[string, Job, Job | null, readonly string[]]>([
    ["that is edited in the queue", createQueued("a"), createQueued("a", { priority: 3 }), ["queues"]],
    ["that is removed", createQueued("a"), null, ["queues"]],
    ["that is queued again", createStarting("a"), createQueued("a"), ["queues"]],
    ["that ends", createRunning("a"), createEnded("a"), ["queues"]],
    [
      "that ends, and made something",
      createRunning("a"),
      createEnded("a", { outputs: { ...NO_OUTPUTS, state: "moving" } }),
      ["queues", "outputs"],
    ],
    ["that fails at its start", createStarting("a"), createEnded("a", { status: "failed" }), ["queues"]],
    ["that is taken from the queue", createQueued("a"), createStarting("a"), []],
    ["that runs", createStarting("a"), createRunning("a"), []],
    ["that is reported on", createRunning("a"), createRunning("a", { wandbUrl: "https://w" }), []],
    ["that is reported on after its end", createEnded("a"), createEnded("a", { wandbUrl: "https://w" }), []],
    ["that is to be killed", createRunning("a"), createRunning("a", { markedForKill: true }), ["running"]],
    [
      "that is to be killed at its start",
      createStarting("a"),
      createStarting("a", { markedForKill: true }),
      ["running"],
    ],
  ])("%s", (_what, before, after, woken) => {
    expect(listWoken(before, after)).toEqual(woken);
    expect(listWoken(before, after, true)).toEqual([...woken, "outbox"]);
  });
});
