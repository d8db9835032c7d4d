import { describe, expect, test } from "bun:test";
import { createQueued } from "../../../tests/support/samples.ts";
import { createHarness, type Harness, handleOf, readFigureOf } from "../../../tests/support/tasks.ts";
import { waitUntil } from "../../../tests/support/wait.ts";

const listChanges = ({ logs }: Harness): readonly unknown[] =>
  logs
    .filter(({ level, event }) => level === "info" && event.startsWith("job "))
    .map(({ fields: { job_id, from, to, reason } }) => [job_id, from, to, reason]);

describe("each change of a job's status is one line, and counted", () => {
  test("from the queue to its end", async () => {
    const harness = createHarness();
    harness.setTime(160);
    await harness.add(createQueued("a"));
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    harness.executor.end("a", 3);
    await waitUntil(() => harness.find("a").status === "failed");
    await waitUntil(() => harness.logs.length >= 3);
    expect(listChanges(harness)).toEqual([
      ["a", "queued", "starting", "its turn has come"],
      ["a", "starting", "running", "launched"],
      ["a", "running", "failed", "Job failed with exit code 3"],
    ]);
    expect(harness.logs.find(({ fields }) => fields["to"] === "failed")?.fields).toMatchObject({
      gpus: [0],
      exit_code: 3,
    });
    expect(readFigureOf(harness, "nexus_job_queue_wait_seconds_sum")).toBe(60);
    expect(readFigureOf(harness, "nexus_job_launch_seconds_count")).toBe(1);
    expect(readFigureOf(harness, "nexus_job_submit_to_start_seconds_sum")).toBe(60);
    expect(readFigureOf(harness, "nexus_jobs_ended_total", { status: "failed" })).toBe(1);
    expect(readFigureOf(harness, "nexus_task_duration_seconds_count", { task: "running jobs" })).toBeGreaterThan(0);
  });

  test("when a new server finds out what became of it", async () => {
    const harness = createHarness();
    await harness.add(...["kept", "found", "fresh", "lost"].map((id) => createQueued(id, { numGpus: 0 })));
    const place = async (id: string, running: boolean) => {
      await harness.change(id, { kind: "start", at: 1, gpuIdxs: [], dir: "/" });
      if (running) await harness.change(id, { kind: "launch", handle: handleOf(id) });
    };
    for (const id of ["kept", "found", "fresh", "lost"]) await place(id, id === "kept" || id === "lost");
    harness.executor.place("kept", { kind: "alive", handle: handleOf("kept") });
    harness.executor.place("found", { kind: "alive", handle: handleOf("found") });
    harness.executor.place("lost", { kind: "lost", reason: "Lost: the machine restarted" });
    await harness.start();
    const told = listChanges(harness).slice(0, 4);
    expect(told).toEqual(
      expect.arrayContaining([
        ["kept", "running", "running", "adopted at restart: its session lives"],
        ["found", "starting", "running", "adopted: its session lives"],
        ["fresh", "starting", "queued", "its launch never began"],
        ["lost", "running", "failed", "Lost: the machine restarted"],
      ]),
    );
  });

  test("when it was killed, with who asked for it", async () => {
    const harness = createHarness();
    const tasks = await harness.start();
    await harness.add(createQueued("a"));
    tasks.wakes.queues();
    await waitUntil(() => harness.find("a").status === "running");
    await harness.change("a", { kind: "mark_for_kill", by: "10.0.0.7" });
    tasks.wakes.running();
    await waitUntil(() => harness.executor.kills.length > 0);
    harness.executor.place("a", { kind: "lost", reason: "gone" });
    tasks.wakes.running();
    await waitUntil(() => harness.find("a").status === "killed");
    await waitUntil(() => listChanges(harness).length === 3);
    expect(listChanges(harness).at(-1)).toEqual(["a", "running", "killed", "killed by 10.0.0.7"]);
  });
});
