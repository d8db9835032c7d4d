import { describe, expect, test } from "bun:test";
import { createQueued } from "../../../tests/support/samples.ts";
import { createCpuJob, createHarness, must, readFigureOf, uploadArtifact } from "../../../tests/support/tasks.ts";
import { waitUntil } from "../../../tests/support/wait.ts";
import { err } from "../../base/result.ts";
import type { ArtifactId } from "../core/jobs/job.ts";
import { toWireJob } from "../core/jobs/wire-job.ts";
import type { HostStats } from "../core/machine/host.ts";
import type { WandbPage } from "../core/running/executor.ts";
import type { Store } from "../core/store.ts";
import { findWandbRuns } from "./jobs/find-wandb-runs.ts";
import { deleteUnusedArtifacts } from "./upkeep/delete-unused-artifacts.ts";
import { createHealthWatch } from "./upkeep/watch-health.ts";

const hasArtifact = async (store: Store, id: ArtifactId): Promise<boolean> =>
  must(await store.write((transaction) => transaction.hasArtifact(id)));

describe("the tasks", () => {
  test("that throw are logged and tried again, and stop no other", async () => {
    let probes = 0;
    const probe = async () => {
      probes += 1;
      if (probes > 1 && probes < 4) throw new Error("broken probe");
      return new Map();
    };
    const health: HostStats = { read: async () => Promise.reject(new Error("broken figures")) };
    const harness = createHarness({ executor: { probe }, health, settings: { refreshRate: 0.05 } });
    await harness.add(createCpuJob("a"));
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running" && probes >= 4);
    const failed = harness.logs.filter(({ event }) => event === "task failed").map(({ fields }) => fields["task"]);
    expect(failed).toContain("running jobs");
    expect(failed).toContain("health");
    expect(failed).not.toContain("queued CPU jobs");
  });

  test("delete unused artifacts, once their grace is over, and keep those that a waiting job needs", async () => {
    const harness = createHarness({ gpus: async () => err({ message: "no driver" }) });
    const unused = await uploadArtifact(harness.store, Buffer.from("a"));
    const needed = await uploadArtifact(harness.store, Buffer.from("b"));
    await harness.add(createQueued("a", { artifactId: needed }));
    expect(await deleteUnusedArtifacts(harness.context)).toBe(60_000);
    expect(await hasArtifact(harness.store, unused)).toBe(true);
    harness.setTime(1601);
    await harness.start();
    await waitUntil(() => harness.logs.some(({ event }) => event === "artifacts deleted"));
    expect(await hasArtifact(harness.store, unused)).toBe(false);
    expect(await hasArtifact(harness.store, needed)).toBe(true);
    expect(harness.logs).toContainEqual({ level: "info", event: "artifacts deleted", fields: { count: 1 } });
  });

  test("write down the W&B run of a job once it is found, and ask no more", async () => {
    let asked = 0;
    const url = "https://wandb.ai/lab/vision/runs/abc123";
    const find = async (): Promise<WandbPage | null> => (++asked > 2 ? { wandbUrl: url } : null);
    const harness = createHarness({ wandb: { find }, settings: { refreshRate: 0.02 } });
    await harness.add(createQueued("a", { integrations: ["wandb"] }), createQueued("b"));
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    expect(asked).toBe(0);
    const job = harness.find("a");
    harness.setTime(job.status === "running" ? job.startedAt + 60 : 0);
    await waitUntil(() => toWireJob(harness.find("a")).wandb_url === url);
    expect(asked).toBe(3);
  });

  test("that throw are tried again after the refresh interval, neither at once nor much later", async () => {
    const failedAt: number[] = [];
    const read = async (): Promise<never> => {
      failedAt.push(performance.now());
      throw new Error("broken stats");
    };
    await createHarness({ health: { read }, settings: { refreshRate: 1 } }).start();
    await waitUntil(() => failedAt.length > 1);
    const [first = 0, second = 0] = failedAt;
    expect(second - first).toBeWithin(900, 8000);
  });

  test("write nothing while there is nothing to write", async () => {
    let [asked, writes] = [0, 0];
    const find = async (): Promise<null> => {
      asked++;
      return null;
    };
    const count =
      (write: Store["write"]): Store["write"] =>
      (change) => {
        writes++;
        return write(change);
      };
    const harness = createHarness({
      wandb: { find },
      settings: { refreshRate: 0.02 },
      store: ({ write }) => ({ write: count(write) }),
    });
    await harness.add(createQueued("a", { integrations: ["wandb"] }));
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    const job = harness.find("a");
    harness.setTime(job.status === "running" ? job.startedAt + 60 : 0);
    await waitUntil(() => asked > 0);
    await harness.awaitRound();
    const [writesBefore, askedBefore] = [writes, asked];
    const countRuns = () => readFigureOf(harness, "nexus_task_duration_seconds_count", { task: "outbox" }) ?? 0;
    const runsBefore = countRuns();
    await waitUntil(() => {
      harness.context.wakes.outbox();
      return asked > askedBefore + 2 && countRuns() > runsBefore + 2;
    });
    expect(writes).toBe(writesBefore);
  });

  test("write down what is said of a run without a page, and ask no more", async () => {
    let asked = 0;
    const find = async (): Promise<WandbPage> => {
      asked += 1;
      return { wandbUrl: null, wandbNote: "offline run abc123" };
    };
    const harness = createHarness({ wandb: { find } });
    await harness.add(createCpuJob("a", { integrations: ["wandb"] }));
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    const job = harness.find("a");
    harness.setTime(job.status === "running" ? job.startedAt + 60 : 0);
    for (const _look of [1, 2]) await findWandbRuns(harness.context, { find });
    expect(toWireJob(harness.find("a"))).toMatchObject({ wandb_url: null, wandb_note: "offline run abc123" });
    expect(asked).toBe(1);
  });

  test("look for the W&B run of each job at once, though one hangs and one fails", async () => {
    const url = "https://wandb.ai/lab/vision/runs/abc123";
    const find = async ({ id }: Readonly<{ id: string }>): Promise<WandbPage | null> => {
      if (id === "a") throw new Error("broken finder");
      return id === "b" ? new Promise(() => {}) : { wandbUrl: url };
    };
    const harness = createHarness();
    for (const id of ["a", "b", "c"]) await harness.add(createCpuJob(id, { integrations: ["wandb"] }));
    await harness.start();
    await waitUntil(() => ["a", "b", "c"].every((id) => harness.find(id).status === "running"));
    const job = harness.find("c");
    harness.setTime(job.status === "running" ? job.startedAt + 60 : 0);
    void findWandbRuns(harness.context, { find });
    await waitUntil(() => toWireJob(harness.find("c")).wandb_url === url);
    expect(harness.logs).toContainEqual({
      level: "error",
      event: "W&B run could not be looked for",
      fields: { job_id: "a", message: "broken finder" },
    });
  });

  test("log it when artifacts can't be deleted", async () => {
    const harness = createHarness();
    const full = err({ kind: "unavailable", message: "The disk is full" } as const);
    const artifacts = { ...harness.store.artifacts, deleteUnused: async () => full };
    expect(await deleteUnusedArtifacts({ ...harness.context, store: { ...harness.store, artifacts } })).toBe(60_000);
    expect(harness.logs).toEqual([
      { level: "error", event: "artifacts could not be deleted", fields: { message: "The disk is full" } },
    ]);
  });

  test("say nothing of a machine that is as busy as it can be", async () => {
    const full = { total: 1, used: 1, free: 0, percent_used: 85 };
    const system = { cpu_percent: 100, memory_percent: 99, uptime: 1, load_avg: [99, 99, 99] };
    const network = { download_speed: 0, upload_speed: null, ping: 2000 };
    const health: HostStats = { read: async () => ({ disk: full, network, system }) };
    const { logs, context, setTime } = createHarness();
    const look = createHealthWatch(context, health);
    for (const now of [0, 300, 600]) {
      setTime(now);
      await look();
    }
    expect(logs).toEqual([]);
  });

  test("log once that the machine has turned unhealthy, and once that it has recovered", async () => {
    const disk = (percent_used: number) => ({ total: 1, used: 1, free: 0, percent_used });
    let used = 96;
    const health: HostStats = {
      read: async () => ({ disk: disk(used), network: null, system: null }),
    };
    const { logs, context, setTime } = createHarness();
    const look = createHealthWatch(context, health);
    for (const [now, percent] of Object.entries({
      0: 96,
      299: 97,
      300: 98,
      700: 99,
      800: 10,
      900: 99,
      1000: 10,
      1300: 9,
    })) {
      used = percent;
      setTime(Number(now));
      await look();
    }
    expect(logs.map(({ event, fields }) => [event, fields["disk_percent_used"]])).toEqual([
      ["machine is unhealthy", 98],
      ["machine is healthy again", 9],
    ]);
  });
});
