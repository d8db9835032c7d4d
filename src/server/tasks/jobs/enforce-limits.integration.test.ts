import { expect, test } from "bun:test";
import { createCpuJob, createHarness, type Harness, handleOf, toId, wakeAll } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import type { RunningJob } from "../../core/jobs/job.ts";

const LIMITS = { timeLimitS: 60, warnS: 10 } as const;

const startLimited = async (harness: Harness): Promise<void> => {
  await harness.add(createCpuJob("a", LIMITS));
  await harness.start();
  await waitUntil(() => harness.find("a").status === "running");
};

const look = async ({ awaitRound }: Harness): Promise<void> => awaitRound(["running jobs"]);

test("a job is warned once, ended at its limit, and killed after the grace", async () => {
  const harness = createHarness();
  const { executor, setTime, find } = harness;
  await startLimited(harness);
  setTime(1049);
  await look(harness);
  expect([executor.warned, executor.kills]).toEqual([[], []]);
  setTime(1050);
  await look(harness);
  expect([executor.warned, executor.kills]).toEqual([["a"], []]);
  setTime(1060);
  await look(harness);
  await waitUntil(() => executor.kills.length > 0);
  expect(executor.kills).toEqual([{ ids: ["a"], force: false }]);
  setTime(1070);
  await waitUntil(() => executor.kills.some(({ force }) => force));
  executor.place("a", { kind: "lost", reason: "Lost: its session ended" });
  wakeAll(harness.context);
  await waitUntil(() => find("a").status === "failed");
  expect(find("a")).toMatchObject({ exitCode: null, errorMessage: "Time limit of 1 min reached" });
  expect(executor.warned).toEqual(["a"]);
});

test("a clock that is set back changes nothing", async () => {
  const harness = createHarness();
  await startLimited(harness);
  harness.setClockBack(500);
  harness.setTime(1061);
  await look(harness);
  await waitUntil(() => harness.executor.kills.length > 0);
});

test("a limit that passed while the server was down is enforced at its start, with no warning any more", async () => {
  const harness = createHarness();
  const begunAt = { bootId: "boot", s: 900 };
  await harness.add(createCpuJob("a", LIMITS));
  await harness.change("a", { kind: "start", at: 900, begunAt, gpuIdxs: [], dir: "/" });
  await harness.change("a", { kind: "launch", handle: handleOf("a") });
  harness.executor.place("a", { kind: "alive", handle: handleOf("a") });
  await harness.start();
  await waitUntil(() => harness.executor.kills.length > 0);
  expect(harness.find("a")).toMatchObject({ status: "running", halt: { cause: "time", limitS: 60 } });
  expect(harness.executor.warned).toEqual([]);
});

test("an exit that was written before a server saw the limit counts as it is", async () => {
  const harness = createHarness();
  await startLimited(harness);
  harness.setTime(2000);
  harness.executor.end("a", 0);
  await waitUntil(() => harness.find("a").status === "completed");
  expect(harness.executor.kills).toEqual([]);
});

test("a limit that is lowered below what the job has run ends it at once, and one that is raised does not", async () => {
  const harness = createHarness();
  await startLimited(harness);
  harness.setTime(1055);
  await harness.change("a", { kind: "edit", fields: { timeLimitS: 120 } });
  await look(harness);
  harness.setTime(1080);
  await look(harness);
  expect(harness.executor.kills).toEqual([]);
  await harness.change("a", { kind: "edit", fields: { timeLimitS: 70 } });
  await look(harness);
  await waitUntil(() => harness.executor.kills.length > 0);
});

test("its start on the machine's own clock is kept, and its deadline is in its environment", async () => {
  const harness = createHarness();
  await startLimited(harness);
  expect((harness.find("a") as RunningJob).begunAt).toEqual({ bootId: "boot", s: 1000 });
  expect(harness.executor.launches[0]?.work.environment["NEXUS_DEADLINE"]).toBe("1060");
  await harness.add(createCpuJob("b"));
  wakeAll(harness.context);
  await waitUntil(() => harness.find("b").status === "running");
  const environment = harness.executor.launches.find(({ id }) => id === toId("b"))?.work.environment;
  expect(environment).not.toHaveProperty("NEXUS_DEADLINE");
});
