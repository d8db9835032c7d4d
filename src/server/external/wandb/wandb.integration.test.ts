import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Fault } from "../../../../tests/support/stand-ins/stand-in.ts";
import { startWandb, type WandbStandIn } from "../../../../tests/support/stand-ins/wandb.ts";
import type { RunningJob } from "../../core/jobs/job.ts";
import { createWandbFinder } from "./wandb.ts";

let dir: string;
let api: WandbStandIn;

const RUN = "run-20261124_101755-abc123";
const FOUND = "https://wandb.ai/lab/vision/runs/abc123";

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "nexus-wandb-")));
  api = startWandb();
  api.addRun("other", "yyy888");
  api.addRun("vision", "abc123");
});

afterEach(async () => {
  await api.stop();
  rmSync(dir, { recursive: true, force: true });
});

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
};

const writeRun = (folder: string, metadata: unknown = { root: join(dir, "repo") }): void =>
  write(`repo/${folder}/files/wandb-metadata.json`, JSON.stringify(metadata, null, 2));

const findIn = (folder: string, env: Readonly<Record<string, string>> = {}, timeoutMs?: number) => {
  const job = { id: "k3f9ab", dir: folder, startedAt: Date.now() / 1000 - 2700 } as RunningJob;
  const base = { WANDB_ENTITY: "lab", WANDB_API_KEY: api.key, WANDB_BASE_URL: `${api.url}/` };
  return createWandbFinder(timeoutMs).find(job, { ...base, ...env });
};

const listQuestions = () => api.questions.map(({ query, variables }) => [/query (\w+)/.exec(query)?.[1], variables]);

const find = (env: Readonly<Record<string, string>> = {}, timeoutMs?: number) => findIn(dir, env, timeoutMs);

test("the run that lies in the job's folder is found, in the project that holds it, with one question", async () => {
  writeRun("wandb/run-20261124_101754-zzz999", { root: "/elsewhere" });
  writeRun(`deep/er/wandb/${RUN}`);
  expect(await find()).toBe(FOUND);
  expect(listQuestions()).toEqual([["Projects", { entity: "lab", name: "abc123" }]]);
});

test("a run is found by the job's id too, and a named project is asked alone", async () => {
  writeRun(`wandb/${RUN}`, { env: { NEXUS_JOB_ID: "k3f9ab" } });
  expect(await find({ WANDB_PROJECT: "vision" })).toBe(FOUND);
  expect(listQuestions()).toEqual([["Run", { entity: "lab", project: "vision", name: "abc123" }]]);
});

test("a longer id or folder that begins with the job's is another job's", async () => {
  writeRun(`wandb/${RUN}`, { env: { NEXUS_JOB_ID: "k3f9abc" }, root: `${dir}2/repo` });
  expect(await find()).toBeNull();
});

test("a run that chose another project than WANDB_PROJECT is found where it is", async () => {
  writeRun(`wandb/${RUN}`);
  expect(await find({ WANDB_PROJECT: "other" })).toBe(FOUND);
});

test("a job whose folder is reached through a link is named by the folder's real path", async () => {
  writeRun(`wandb/${RUN}`);
  symlinkSync(dir, join(dir, "link"));
  expect(await findIn(join(dir, "link"))).toBe(FOUND);
});

test("an offline run has no metadata: its log names the folder and, once finished, the project", async () => {
  const path = `repo/wandb/offline-${RUN}/logs/debug.log`;
  write(path, `INFO Logging user logs to ${join(dir, path)}\nINFO [_finish():2300] finishing run lab/my proj/abc123\n`);
  await api.stop();
  expect(await find({ WANDB_PROJECT: "mine" })).toBe("https://wandb.ai/lab/my%20proj/runs/abc123");
});

test("an offline run that names its place relatively counts where it lies, if it was written since the job's start", async () => {
  const known = { WANDB_PROJECT: "vision", WANDB_API_KEY: "" };
  const place = `out/wandb/offline-${RUN}/logs/debug.log`;
  const put = (path: string): void => write(path, `INFO Logging user logs to ./${place}\nINFO done\n`);
  put(`repo/sub/${place}`.replace("out", "other"));
  expect(await find(known)).toBeNull();
  put(`repo/sub/${place}`);
  const old = Date.now() / 1000 - 3600;
  utimesSync(join(dir, "repo/sub", place), old, old);
  expect(await find(known)).toBeNull();
  utimesSync(join(dir, "repo/sub", place), old + 1800, old + 1800);
  expect(await find(known)).toBe("https://wandb.ai/lab/vision/runs/abc123");
});

test("names with spaces and dots are kept, written as an address needs them", async () => {
  writeRun("wandb/run-20261124_101755-exp.1 b");
  await api.stop();
  expect(await find({ WANDB_PROJECT: "my proj" })).toBe("https://wandb.ai/lab/my%20proj/runs/exp.1%20b");
});

test("without an API that answers, or a key for it, the job's own project is believed", async () => {
  writeRun(`wandb/${RUN}`);
  expect(await find({ WANDB_API_KEY: "", WANDB_PROJECT: "mine" })).toBe("https://wandb.ai/lab/mine/runs/abc123");
  expect(await find({ WANDB_API_KEY: "schlüssel → ", WANDB_PROJECT: "mine" })).toEndWith("/mine/runs/abc123");
  expect(await find({ WANDB_BASE_URL: "no address", WANDB_PROJECT: "mine" })).toEndWith("/mine/runs/abc123");
  await api.stop();
  expect(await find({ WANDB_PROJECT: "mine" })).toBe("https://wandb.ai/lab/mine/runs/abc123");
  expect(await find()).toBeNull();
});

test("an API that hangs, before or within its answer, is given up after the time limit", async () => {
  writeRun(`wandb/${RUN}`);
  api.failAlways({ kind: "hang" });
  expect(await find({ WANDB_PROJECT: "mine" }, 100)).toBe("https://wandb.ai/lab/mine/runs/abc123");
  expect(await find({}, 100)).toBeNull();
  api.failAlways({ kind: "stall" });
  expect(await find({ WANDB_PROJECT: "mine" }, 100)).toBe("https://wandb.ai/lab/mine/runs/abc123");
  expect(api.requests).toHaveLength(3);
});

test("an answer that is too long, a redirect, too many questions, or no JSON counts as none", async () => {
  writeRun(`wandb/${RUN}`);
  const edges = [{ node: { name: "vision", run: { name: "abc123" } } }];
  const long = JSON.stringify({ data: { models: { edges } }, more: "x".repeat(2 ** 20) });
  const faults: readonly Fault[] = [
    { kind: "status", status: 200, body: long },
    { kind: "status", status: 307, headers: { Location: `${api.url}/graphql` } },
    { kind: "status", status: 429 },
    { kind: "garbage" },
  ];
  for (const fault of faults) {
    api.failNext(fault, fault);
    expect(await find({ WANDB_PROJECT: "mine" })).toBe("https://wandb.ai/lab/mine/runs/abc123");
    expect(await find()).toBeNull();
  }
  expect(api.requests).toHaveLength(2 * faults.length);
  api.limitRate({ requests: 0, retryAfterS: 1 });
  expect([await find(), await find()]).toEqual([null, FOUND]);
});

test("a run of another job, one that no project holds, and no run at all are not found", async () => {
  expect(await find()).toBeNull();
  writeRun("wandb/run-20261124_101754-zzz999", { root: "/elsewhere" });
  expect(await find()).toBeNull();
  expect(api.requests).toEqual([]);
  writeRun("wandb/run-20261124_101755-nowhere");
  expect(await find({ WANDB_PROJECT: "vision" })).toBeNull();
  expect(await find({ WANDB_ENTITY: "" })).toBeNull();
});

test("no link is followed, no pipe waited for, no file read that is too long", async () => {
  const known = { WANDB_PROJECT: "vision", WANDB_API_KEY: "" };
  writeRun(`outside/${RUN}`);
  renameSync(join(dir, "repo"), join(dir, "moved"));
  const real = join(dir, "moved/outside", RUN);
  const runs = join(dir, "repo/wandb/run-20261124_101755");
  for (const inside of ["b", "c/files", "d/files"]) mkdirSync(`${runs}-${inside}`, { recursive: true });
  symlinkSync(real, join(dirname(runs), RUN));
  symlinkSync(join(real, "files"), `${runs}-b/files`);
  symlinkSync(join(real, "files/wandb-metadata.json"), `${runs}-c/files/wandb-metadata.json`);
  execFileSync("mkfifo", [`${runs}-d/files/wandb-metadata.json`]);
  writeRun("wandb/run-20261124_101755-e", { root: join(dir, "repo"), more: "x".repeat(2 ** 20) });
  expect(await find(known)).toBeNull();
  writeRun("wandb/run-20261124_101755-f");
  expect(await find(known)).toEndWith("/runs/f");
});

test("a log made to be slow to search is searched in a time that grows with its length alone", async () => {
  const log = `${dir}/ ${"finishing run ".repeat(70_000)}`;
  write(`repo/wandb/${RUN}/logs/debug.log`, log);
  expect(await find()).toBe(FOUND);
});

test("a run among a hundred thousand files is found, and everything else has its turn meanwhile", async () => {
  for (const folder of ["data", "more"]) mkdirSync(join(dir, "repo", folder), { recursive: true });
  const touch = 'for folder in data more; do seq 1 50000 | sed "s,^,$folder/," | xargs touch; done';
  execFileSync("sh", ["-c", touch], { cwd: join(dir, "repo") });
  writeRun(`deep/${RUN}`);
  let turns = 0;
  const count = setInterval(() => {
    turns += 1;
  }, 1);
  expect(await find()).toBe(FOUND);
  clearInterval(count);
  expect(turns).toBeGreaterThan(1);
});

test("a wandb folder beside thousands of others is still found", async () => {
  for (let index = 0; index < 2100; index++) mkdirSync(join(dir, "repo", `class_${index}`), { recursive: true });
  writeRun(`wandb/${RUN}`);
  expect(await find()).toBe(FOUND);
});
