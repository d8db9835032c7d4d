import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createCpuJob, createHarness, type Harness, toId } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";

const fill = ({ context }: Harness, id: string): string => {
  const folder = context.jobDirectory.pathOf(toId(id));
  mkdirSync(join(folder, "repo", "deep"), { recursive: true });
  writeFileSync(join(folder, "artifact"), "tar");
  writeFileSync(join(folder, "output.log"), "log");
  return folder;
};

const endJob = async ({ add, change }: Harness, id: string): Promise<void> => {
  await add(createCpuJob(id));
  await change(id, { kind: "start", at: 1001, gpuIdxs: [], dir: "" });
  await change(id, { kind: "exit", at: 1002, exitCode: 0 });
};

const letStart = (folder: string): void => writeFileSync(join(folder, "started"), "");

describe("what a job made and a server that died did not keep", () => {
  test("is kept by the next one, whatever it had written of it", async () => {
    const harness = createHarness();
    const ids = ["none", "moving", "failed"] as const;
    for (const id of ids) {
      await endJob(harness, id);
      await harness.change(id, { kind: "account", outputs: { state: id } });
      const folder = fill(harness, id);
      letStart(folder);
      writeFileSync(join(folder, "repo", "made"), "made");
    }
    await harness.start();
    for (const id of ids) {
      const folder = harness.context.jobDirectory.pathOf(toId(id));
      await waitUntil(() => !existsSync(join(folder, "repo")));
      expect(readFileSync(join(folder, "outputs", "made"), "utf8")).toBe("made");
      expect(harness.find(id)).toMatchObject({ outputs: { state: "kept", files: 1, bytes: 4 } });
    }
  });

  test("and had kept, but not tidied up after, leaves no list behind", async () => {
    const harness = createHarness();
    await endJob(harness, "kept");
    await harness.change("kept", { kind: "account", outputs: { state: "kept" } });
    const folder = fill(harness, "kept");
    rmSync(join(folder, "repo"), { recursive: true });
    mkdirSync(join(folder, "outputs"));
    for (const name of ["outputs/made", "manifest", "renamed"]) writeFileSync(join(folder, name), "");
    letStart(folder);
    await harness.start();
    await waitUntil(() => ["manifest", "renamed"].every((name) => !existsSync(join(folder, name))));
    expect(existsSync(join(folder, "outputs/made"))).toBe(true);
  });

  test("and goes soon, as its owner was told, is told of anew once it is kept", async () => {
    const harness = createHarness();
    await endJob(harness, "a");
    await harness.change("a", { kind: "account", outputs: { state: "failed", isWarned: true, keptUntil: 2000 } });
    const folder = fill(harness, "a");
    letStart(folder);
    writeFileSync(join(folder, "repo", "made"), "made");
    await harness.start();
    await waitUntil(() => !existsSync(join(folder, "repo")));
    expect(harness.find("a")).toMatchObject({ outputs: { state: "kept", isWarned: false } });
  });

  test("stays where the job is not known, and that is said", async () => {
    const harness = createHarness();
    const folder = fill(harness, "gone");
    letStart(folder);
    await harness.start();
    await waitUntil(() =>
      harness.logs.some(({ event }) => event.startsWith("the folder of a job that is not known stays")),
    );
    expect(existsSync(join(folder, "repo", "deep"))).toBe(true);
  });
});

describe("what a server that died could not remove", () => {
  test("the working files of an ended job go when the next one starts, its log stays", async () => {
    const harness = createHarness();
    await endJob(harness, "a");
    const folder = fill(harness, "a");
    await harness.start();
    await waitUntil(() => !existsSync(join(folder, "repo")) && !existsSync(join(folder, "artifact")));
    expect(existsSync(join(folder, "output.log"))).toBe(true);
  });

  test("the folder of a job that is gone goes, also one whose removal had begun", async () => {
    const harness = createHarness();
    const folder = fill(harness, "gone");
    const half = join(dirname(folder), ".removed-half");
    mkdirSync(half);
    await harness.start();
    await waitUntil(() => !existsSync(folder) && !existsSync(half));
  });

  test("the folder of a waiting and of a running job stays", async () => {
    const harness = createHarness({ settings: { maxCpuJobs: 0 } });
    await harness.add(createCpuJob("waiting"), createCpuJob("running"));
    await harness.change("running", { kind: "start", at: 1001, gpuIdxs: [], dir: "" });
    harness.executor.place("running", { kind: "alive", handle: { kind: "slurm", slurmJobId: 1 } });
    const folders = [fill(harness, "waiting"), fill(harness, "running"), fill(harness, "zzz-gone")];
    await harness.start();
    await waitUntil(() => !existsSync(folders[2] ?? ""));
    expect(folders.slice(0, 2).map((folder) => existsSync(join(folder, "repo")))).toEqual([true, true]);
  });

  test("one that can't be removed is logged, and the others go all the same", async () => {
    const harness = createHarness();
    const folders = [fill(harness, "a-stays"), fill(harness, "b-goes")];
    const { jobDirectory } = harness.context;
    const remove: typeof jobDirectory.remove = (id) =>
      id === toId("a-stays") ? Promise.reject(new Error("read-only disk")) : jobDirectory.remove(id);
    const broken = createHarness({ jobDirectory: { ...jobDirectory, remove } });
    await broken.start();
    await waitUntil(() => !existsSync(folders[1] ?? ""));
    await waitUntil(() => broken.logs.some(({ event }) => event === "folder could not be removed"));
    expect(existsSync(folders[0] ?? "")).toBe(true);
  });
});
