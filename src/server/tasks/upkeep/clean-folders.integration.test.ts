import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createCpuJob, createHarness, type Harness, handleOf, toId } from "../../../../tests/support/tasks.ts";
import type { Retention } from "../../core/upkeep/folder-plan.ts";
import { createJobFolders } from "../../external/job-folder/folder-sizes.ts";
import { createFolderCleaning } from "./clean-folders.ts";

const DAY = 86_400;
const NOW = 1_700_000_000;
const AT_ONCE = 0;
const KIB = 1024;

const locate = ({ context }: Harness, id: string): string => context.jobDirectory.pathOf(toId(id));

const fill = (folder: string, kib = 1): void => {
  mkdirSync(join(folder, "extra/deeper"), { recursive: true });
  for (const name of ["run.sh", "error.log", "job.json", "exit_code", "claim-1a"])
    writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "extra/deeper/file"), "x");
  writeFileSync(join(folder, "output.log"), "x".repeat(kib * KIB));
};

const addJob = async (harness: Harness, id: string, kib?: number): Promise<void> => {
  await harness.add(createCpuJob(id));
  fill(locate(harness, id), kib);
};

const run = async (harness: Harness, id: string): Promise<void> => {
  await harness.change(id, { kind: "start", at: 1, gpuIdxs: [], dir: locate(harness, id) });
  await harness.change(id, { kind: "launch", handle: handleOf(id) });
};

const end = async (harness: Harness, id: string, daysAgo: number, kib?: number): Promise<void> => {
  await addJob(harness, id, kib);
  await run(harness, id);
  await harness.change(id, { kind: "exit", at: NOW - daysAgo * DAY, exitCode: 0 });
};

const backdate = (harness: Harness, id: string, daysAgo: number): void =>
  utimesSync(locate(harness, id), NOW - daysAgo * DAY, NOW - daysAgo * DAY);

const createCleaning = (harness: Harness, retention: Partial<Retention> = {}, backups: readonly number[] = []) => {
  harness.setTime(NOW);
  const given = {
    folders: createJobFolders(dirname(dirname(locate(harness, "any")))),
    backups: { listTimes: () => backups },
    retention: { days: 30, bytes: null, ...retention },
  };
  return createFolderCleaning(harness.context, given, AT_ONCE);
};

const listLeft = (harness: Harness): string =>
  readdirSync(dirname(locate(harness, "any")))
    .toSorted()
    .join(" ");

test("folders of jobs that ended long ago go; waiting, running and unknown ones stay, and so does the history", async () => {
  const harness = createHarness();
  await end(harness, "old", 31);
  await end(harness, "new", 29);
  await addJob(harness, "waiting");
  await addJob(harness, "running");
  await run(harness, "running");
  fill(locate(harness, "unknown"));
  await createCleaning(harness)();
  expect(listLeft(harness)).toBe("new running unknown waiting");
  expect(harness.find("old")).toMatchObject({ status: "completed", exitCode: 0 });
  expect(harness.logs.map(({ event, fields }) => [event, fields["jobs"]])).toEqual([
    ["old job folders removed", ["old"]],
  ]);
});

test("a limit on their size makes the oldest go, and counts no folder of a job that goes on", async () => {
  const harness = createHarness();
  for (const [index, id] of ["a", "b", "c"].entries()) await end(harness, id, 9 - index, 200);
  await addJob(harness, "running", 900);
  await run(harness, "running");
  await createCleaning(harness, { bytes: 500 * KIB })();
  expect(listLeft(harness)).toBe("b c running");
});

test("what tells that a job ran stays for as long as an older backup could be restored", async () => {
  const harness = createHarness();
  await end(harness, "a", 2);
  await createCleaning(harness, { days: 1 }, [NOW - 5 * DAY])();
  expect(readdirSync(locate(harness, "a")).toSorted()).toEqual(["claim-1a", "exit_code", "job.json"]);
  await createCleaning(harness, { days: 1 }, [NOW - 5 * DAY])();
  expect(harness.logs).toHaveLength(1);
  await createCleaning(harness, { days: 1 }, [NOW - DAY])();
  expect(existsSync(locate(harness, "a"))).toBe(true);
  backdate(harness, "a", 2);
  await createCleaning(harness, { days: 1 }, [NOW - DAY])();
  expect(existsSync(locate(harness, "a"))).toBe(false);
});

test("many go a slice at a time, and the task asks to go on soon until all are gone", async () => {
  const harness = createHarness();
  const ids = Array.from({ length: 25 }, (_, index) => `job-${String(index).padStart(2, "0")}`);
  for (const [index, id] of ids.entries()) await end(harness, id, 60 - index);
  const clean = createCleaning(harness, { days: 1 });
  const delays = [await clean(), await clean()];
  expect(listLeft(harness)).toBe(ids.slice(20).join(" "));
  delays.push(await clean());
  expect(delays.map((delayMs) => delayMs < 60_000)).toEqual([true, true, false]);
  expect(listLeft(harness)).toBe("");
});

test("a folder that is a link goes, what it leads to stays; one that can't go is told and keeps none from going", async () => {
  const harness = createHarness();
  await end(harness, "a", 40);
  await end(harness, "b", 35);
  const elsewhere = join(locate(harness, "a"), "..", "..", "elsewhere");
  fill(elsewhere);
  symlinkSync(elsewhere, locate(harness, "link"));
  await harness.add(createCpuJob("link"));
  await run(harness, "link");
  await harness.change("link", { kind: "exit", at: NOW - 50 * DAY, exitCode: 0 });
  const folders = createJobFolders(dirname(dirname(locate(harness, "any"))));
  const refuse = (id: string): Promise<void> => (id === "a" ? Promise.reject(new Error("busy")) : Promise.resolve());
  const given = {
    folders: {
      ...folders,
      clear: async (id: ReturnType<typeof toId>, keeps: boolean) => refuse(id).then(() => folders.clear(id, keeps)),
    },
    backups: { listTimes: () => [] },
    retention: { days: 30, bytes: null },
  };
  harness.setTime(NOW);
  await createFolderCleaning(harness.context, given, AT_ONCE)();
  expect(listLeft(harness)).toBe("a");
  expect(existsSync(join(elsewhere, "output.log"))).toBe(true);
  expect(harness.logs.map(({ level }) => level)).toEqual(["warn", "info"]);
});

test("a server that has just started has other things to do first", async () => {
  const harness = createHarness();
  await end(harness, "old", 31);
  harness.setTime(NOW);
  const given = {
    folders: createJobFolders(dirname(dirname(locate(harness, "any")))),
    backups: { listTimes: () => [] },
    retention: { days: 30, bytes: null },
  };
  const clean = createFolderCleaning(harness.context, given);
  expect(await clean()).toBeGreaterThanOrEqual(60_000);
  expect(listLeft(harness)).toBe("old");
  await clean();
  expect(listLeft(harness)).toBe("");
});

test("what a job made is told of a day before it goes, and the job says then that it went", async () => {
  const harness = createHarness();
  await end(harness, "a", 31);
  const file = join(locate(harness, "a"), "outputs/made");
  mkdirSync(dirname(file));
  writeFileSync(file, "made");
  await harness.change("a", { kind: "account", outputs: { state: "kept", files: 1, bytes: 4 } });
  await createCleaning(harness)();
  expect(harness.find("a")).toMatchObject({ outputs: { state: "kept", isWarned: true, keptUntil: NOW + DAY } });
  expect([existsSync(file), existsSync(join(locate(harness, "a"), "output.log"))]).toEqual([true, false]);
  const later = createCleaning(harness);
  harness.setTime(NOW + DAY - 1);
  await later();
  expect(existsSync(file)).toBe(true);
  harness.setTime(NOW + DAY);
  await later();
  expect(existsSync(file)).toBe(false);
  expect(harness.find("a")).toMatchObject({
    outputs: { state: "none", files: 0 },
    notes: [expect.stringContaining("were removed")],
  });
});

test("what is to be kept for longer after its owner was told goes no longer, and is told of anew when it does", async () => {
  const harness = createHarness();
  await end(harness, "a", 31);
  await harness.change("a", { kind: "account", outputs: { state: "kept", files: 1, bytes: 4 } });
  await createCleaning(harness)();
  expect(harness.find("a")).toMatchObject({ outputs: { isWarned: true, keptUntil: NOW + DAY } });
  await createCleaning(harness, { days: 60 })();
  expect(harness.find("a")).toMatchObject({ outputs: { isWarned: false, keptUntil: NOW + 29 * DAY } });
  const later = createCleaning(harness, { days: 60 });
  harness.setTime(NOW + 40 * DAY);
  await later();
  expect(harness.find("a")).toMatchObject({ outputs: { state: "kept", isWarned: true, keptUntil: NOW + 41 * DAY } });
});
