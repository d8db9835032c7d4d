import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createQueued } from "../../../../tests/support/samples.ts";
import { createCpuJob, createExecutor, createHarness, wakeAll } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { err } from "../../../base/result.ts";
import type { Executor } from "../../core/running/executor.ts";

const HOUR_S = 3600;

describe("a clock that is set back by an hour", () => {
  test("does not give a job that is killed an hour to end", async () => {
    const harness = createHarness();
    const { add, change, executor, find, setClockBack, setTime, start } = harness;
    const tasks = await start();
    await add(createQueued("a"));
    wakeAll(tasks);
    await waitUntil(() => find("a").status === "running");
    await change("a", { kind: "mark_for_kill" });
    tasks.wakes.running();
    await waitUntil(() => executor.kills.length === 1);
    setClockBack(HOUR_S);
    setTime(1009.9);
    await harness.awaitRound();
    expect(executor.kills).toHaveLength(1);
    setTime(1010);
    await waitUntil(() => executor.kills.length >= 2);
    expect(executor.kills[1]).toEqual({ ids: ["a"], force: true });
  });

  test("lets no job end before it started, and starts those that waited as well as those that come", async () => {
    const { add, executor, find, setClockBack, setTime, start } = createHarness({ settings: { maxCpuJobs: 1 } });
    setTime(2 * HOUR_S);
    const tasks = await start();
    await add(createCpuJob("first", { createdAt: 2 * HOUR_S }), createCpuJob("before", { createdAt: 2 * HOUR_S + 1 }));
    wakeAll(tasks);
    await waitUntil(() => find("first").status === "running");
    setClockBack(HOUR_S);
    await add(createCpuJob("after", { createdAt: HOUR_S }));
    executor.end("first", 3);
    await waitUntil(() => executor.launches.length === 2);
    expect(find("first")).toMatchObject({ status: "failed", startedAt: 2 * HOUR_S, completedAt: 2 * HOUR_S });
    executor.end(executor.launches[1]?.id ?? "", 0);
    await waitUntil(() => executor.launches.length === 3);
    expect(executor.launches.map(({ id }) => id).toSorted()).toEqual(["after", "before", "first"]);
  });
});

describe("a disk that is full", () => {
  test("makes a job that can't be launched wait, and start once there is room", async () => {
    let isFull = true;
    const fake = createExecutor();
    const launch: Executor["launch"] = async (job, files) =>
      isFull ? err({ message: "no space left", isTemporary: true }) : fake.launch(job, files);
    const harness = createHarness({ executor: { ...fake, launch }, settings: { refreshRate: 0.02 } });
    const tasks = await harness.start();
    await harness.add(createQueued("a"));
    wakeAll(tasks);
    const wasTold = () => harness.logs.filter(({ event }) => event === "job can't start yet").length;
    await waitUntil(() => wasTold() >= 2);
    expect(harness.find("a").status).toMatch(/queued|starting/);
    isFull = false;
    await waitUntil(() => harness.find("a").status === "running");
    expect(fake.launches).toHaveLength(1);
  });

  test("is tried again only once the refresh interval is over", async () => {
    const REFRESH_S = 0.5;
    const told: number[] = [];
    const launch: Executor["launch"] = async () => {
      told.push(performance.now());
      return err({ message: "no space left", isTemporary: true });
    };
    const harness = createHarness({ executor: { launch }, settings: { refreshRate: REFRESH_S } });
    await harness.start();
    await harness.add(createCpuJob("a"));
    wakeAll(harness.context);
    await waitUntil(() => told.length >= 2);
    const [first = 0, second = 0] = told;
    expect(second - first).toBeGreaterThan(REFRESH_S * 990);
  });

  test("gets the files of an ended job back although its end can't be written", async () => {
    let isFull = false;
    const full = err({ kind: "unavailable", message: "The disk is full" } as const);
    const harness = createHarness({
      store: (opened) => ({ write: (change) => (isFull ? Promise.resolve(full) : opened.write(change)) }),
    });
    const tasks = await harness.start();
    await harness.add(createQueued("a"));
    wakeAll(tasks);
    await waitUntil(() => harness.find("a").status === "running");
    const repo = join(harness.context.jobDirectory.pathOf(harness.find("a").id), "repo");
    mkdirSync(repo, { recursive: true });
    isFull = true;
    harness.executor.end("a", 4);
    await waitUntil(() => !existsSync(repo));
    expect(harness.find("a").status).toBe("running");
    isFull = false;
    wakeAll(tasks);
    await waitUntil(() => harness.find("a").status === "failed");
  });
});
