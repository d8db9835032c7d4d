import { afterEach, beforeEach, describe, expect, test } from "bun:test";
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
import { waitUntil } from "../../../../tests/support/wait.ts";
import { USER_AGENT } from "../../../base/version.ts";
import { describeWandbRun } from "../../../wire/wandb-text.ts";
import type { RunningJob } from "../../core/jobs/job.ts";
import type { WandbPage } from "../../core/running/executor.ts";
import { createWandbFinder } from "./wandb.ts";

let dir: string;
let api: WandbStandIn;
let FOUND: string;

const RUN = "run-20261124_101755-abc123";
const UNCONFIRMED = " (not confirmed by W&B)";

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "nexus-wandb-")));
  api = startWandb();
  api.addRun("other", "yyy888");
  api.addRun("vision", "abc123");
  FOUND = `${api.url}/lab/vision/runs/abc123`;
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

type Env = Readonly<Record<string, string>>;

const findPageIn = (folder: string, env: Env = {}, timeoutMs?: number, uid?: number): Promise<WandbPage | null> => {
  const job = { id: "k3f9ab", dir: folder, startedAt: Date.now() / 1000 - 2700 } as RunningJob;
  const base = { WANDB_ENTITY: "lab", WANDB_API_KEY: api.key, WANDB_BASE_URL: `${api.url}/` };
  return createWandbFinder(timeoutMs, uid).find(job, { ...base, ...env });
};

const findIn = async (folder: string, env: Env = {}, timeoutMs?: number, uid?: number): Promise<string | null> => {
  const page = await findPageIn(folder, env, timeoutMs, uid);
  return page === null ? null : describeWandbRun(page.wandbUrl, page.wandbNote ?? null);
};

const listQuestions = () => api.questions.map(({ query, variables }) => [/query (\w+)/.exec(query)?.[1], variables]);

const find = (env: Readonly<Record<string, string>> = {}, timeoutMs?: number) => findIn(dir, env, timeoutMs);

test("the run that lies in the job's folder is found, in the project that holds it, with one question", async () => {
  writeRun("wandb/run-20261124_101754-zzz999", { root: "/elsewhere" });
  writeRun(`deep/er/wandb/${RUN}`);
  expect(await find()).toBe(FOUND);
  expect(listQuestions()).toEqual([["Projects", { entity: "lab", name: "abc123" }]]);
  expect(api.requests.map(({ headers }) => headers.get("user-agent"))).toEqual([USER_AGENT]);
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

const tellOffline = (path: string): string => `offline run abc123 (sync it with wandb sync ${join(dir, path)})`;

test("a run without metadata is known by its log, which names the folder and, once finished, the project", async () => {
  const path = `repo/wandb/${RUN}/logs/debug.log`;
  write(path, `INFO Logging user logs to ${join(dir, path)}\nINFO [_finish():2300] finishing run lab/my proj/abc123\n`);
  await api.stop();
  expect(await find({ WANDB_PROJECT: "mine" })).toBe(`${api.url}/lab/my%20proj/runs/abc123${UNCONFIRMED}`);
});

test("an offline run has no page: it is told with what brings it to W&B, which is not asked", async () => {
  const path = `repo/wandb/offline-${RUN}/logs/debug.log`;
  write(path, `INFO Logging user logs to ${join(dir, path)}\nINFO [_finish():2300] finishing run lab/my proj/abc123\n`);
  expect(await find({ WANDB_PROJECT: "mine" })).toBe(tellOffline(`repo/wandb/offline-${RUN}`));
  expect(await findPageIn(dir)).toMatchObject({ wandbUrl: null });
  expect(api.requests).toEqual([]);
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
  expect(await find(known)).toBe(tellOffline(`repo/sub/out/wandb/offline-${RUN}`));
});

test("names with spaces and dots are kept, written as an address needs them", async () => {
  writeRun("wandb/run-20261124_101755-exp.1 b");
  await api.stop();
  expect(await find({ WANDB_PROJECT: "my proj" })).toBe(`${api.url}/lab/my%20proj/runs/exp.1%20b${UNCONFIRMED}`);
});

test("without an API that answers, or a key for it, the job's own project is believed, and told as not confirmed", async () => {
  writeRun(`wandb/${RUN}`);
  const mine = `${api.url}/lab/mine/runs/abc123`;
  expect(await findPageIn(dir, { WANDB_API_KEY: "", WANDB_PROJECT: "mine" })).toEqual({
    wandbUrl: mine,
    wandbNote: "not confirmed by W&B",
  });
  expect(await find({ WANDB_API_KEY: "schlüssel → ", WANDB_PROJECT: "mine" })).toBe(mine + UNCONFIRMED);
  await api.stop();
  expect(await find({ WANDB_PROJECT: "mine" })).toBe(mine + UNCONFIRMED);
  expect(await find()).toBeNull();
});

test.each([
  [{ WANDB_BASE_URL: "" }, "https://wandb.ai"],
  [{ WANDB_BASE_URL: "https://api.wandb.ai/" }, "https://wandb.ai"],
  [{ WANDB_BASE_URL: "https://api.lab.example" }, "https://app.lab.example"],
  [{ WANDB_BASE_URL: "https://wandb.lab.example:8080/inner/" }, "https://wandb.lab.example:8080/inner"],
  [{ WANDB_BASE_URL: "http://ann:secret@wandb.lab.example" }, "http://wandb.lab.example"],
  [
    { WANDB_BASE_URL: "https://api.wandb.ai", WANDB_APP_URL: "https://pages.lab.example/" },
    "https://pages.lab.example",
  ],
])("the page of %j is one of %s", async (env, site) => {
  writeRun(`wandb/${RUN}`);
  const known = { WANDB_API_KEY: "", WANDB_PROJECT: "mine" };
  expect(await find({ ...known, ...env })).toBe(`${site}/lab/mine/runs/abc123${UNCONFIRMED}`);
});

test("a server whose address is none has no page", async () => {
  writeRun(`wandb/${RUN}`);
  expect(await findPageIn(dir, { WANDB_BASE_URL: "no address", WANDB_PROJECT: "mine" })).toEqual({
    wandbUrl: null,
    wandbNote: "run abc123 of lab/mine, not confirmed by W&B",
  });
});

test("an API that hangs, before or within its answer, is given up after the time limit", async () => {
  writeRun(`wandb/${RUN}`);
  api.failAlways({ kind: "hang" });
  expect(await find({ WANDB_PROJECT: "mine" }, 100)).toBe(`${api.url}/lab/mine/runs/abc123${UNCONFIRMED}`);
  expect(await find({}, 100)).toBeNull();
  api.failAlways({ kind: "stall" });
  expect(await find({ WANDB_PROJECT: "mine" }, 100)).toBe(`${api.url}/lab/mine/runs/abc123${UNCONFIRMED}`);
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
    expect(await find({ WANDB_PROJECT: "mine" })).toBe(`${api.url}/lab/mine/runs/abc123${UNCONFIRMED}`);
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
  expect(await find(known)).toEndWith(`/runs/f${UNCONFIRMED}`);
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

describe("a WANDB_DIR outside the job's folder", () => {
  const OUT = "elsewhere";
  const lookOutside = (more: Env = {}, uid?: number): Promise<string | null> =>
    findIn(join(dir, "job"), { WANDB_DIR: join(dir, OUT), WANDB_PROJECT: "vision", ...more }, undefined, uid);
  const putRun = (run: string, job = join(dir, "job")): void =>
    write(`${OUT}/wandb/${run}/files/wandb-metadata.json`, JSON.stringify({ program: `${job}/repo/train.py` }));

  test("is searched for the job's run, also among thousands of others, newer ones included", async () => {
    for (let index = 0; index < 300; index += 1) putRun(`run-20250101_101755-old${index}`, "/elsewhere");
    putRun(RUN);
    putRun("run-20261124_101756-later");
    putRun("run-20261224_101755-other", "/elsewhere");
    for (let index = 0; index < 2100; index += 1)
      mkdirSync(join(dir, OUT, "wandb", `run-20240101_101755-more${index}`), { recursive: true });
    expect(await lookOutside()).toBe(FOUND);
  });

  test("is not where the job's folder is searched already, and may be relative to that", async () => {
    write(`job/repo/more/wandb/${RUN}/files/wandb-metadata.json`, JSON.stringify({ program: `${dir}/job/repo/a.py` }));
    expect(await lookOutside({ WANDB_DIR: "more" })).toBe(FOUND);
    rmSync(join(dir, "job"), { recursive: true });
    putRun(RUN);
    expect(await lookOutside({ WANDB_DIR: `../../${OUT}` })).toBe(FOUND);
  });

  test("is not followed through links, and what another user owns there is not read", async () => {
    putRun(RUN);
    const real = join(dir, OUT);
    renameSync(join(real, "wandb"), join(dir, "hidden"));
    symlinkSync(join(dir, "hidden"), join(real, "wandb"));
    expect(await lookOutside()).toBeNull();
    rmSync(join(real, "wandb"));
    mkdirSync(join(real, "wandb"));
    symlinkSync(join(dir, "hidden", RUN), join(real, "wandb", RUN));
    expect(await lookOutside()).toBeNull();
    symlinkSync(real, join(dir, "link"));
    rmSync(join(real, "wandb"), { recursive: true });
    renameSync(join(dir, "hidden"), join(real, "wandb"));
    expect(await lookOutside({ WANDB_DIR: join(dir, "link") })).toBeNull();
    expect(await lookOutside({ WANDB_DIR: real })).toBe(FOUND);
    expect(await lookOutside({}, 4242)).toBeNull();
  });

  test("has an offline run of the job, known by what it recorded or by the process that writes it", async () => {
    const path = `${OUT}/wandb/offline-${RUN}`;
    const log = (pid: number): string =>
      `2026-11-24 INFO MainThread:${pid} [wandb_setup.py:_flush():81] Configure stats pid to ${pid}\n`;
    write(`${path}/logs/debug.log`, log(1));
    expect(await lookOutside()).toBeNull();
    write(`${path}/run-abc123.wandb`, `:W&B\0\x12${join(dir, "job")}/repo/train.py\0`);
    expect(await lookOutside()).toBe(tellOffline(path));
    write(`${path}/run-abc123.wandb`, ":W&B");
    const writer = Bun.spawn(["sleep", "60"], { env: { ...process.env, NEXUS_JOB_ID: "k3f9ab" } });
    try {
      write(`${path}/logs/debug.log`, log(writer.pid));
      await waitUntil(async () => (await lookOutside()) === tellOffline(path), "it is the job's");
      expect(await findIn(join(dir, "job"), { WANDB_DIR: join(dir, OUT), WANDB_ENTITY: "" })).toBeNull();
    } finally {
      writer.kill();
    }
  });
});
