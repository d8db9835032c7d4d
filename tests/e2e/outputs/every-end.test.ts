import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { killProcess, listProcessesWith, ROOT, stopChild } from "../../support/programs.ts";
import { createTar } from "../../support/tar-archive.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const MANY = 100_000;
const SPARSE_BYTES = 5_000_000_000;
const UNCHANGED = ["same", "dir/same", "make.sh"];

const MAKE = `set -e
echo new > new
mkdir -p sub/deep many
echo deep > sub/deep/file
echo now > changed
cp -p setback reference && printf SETBACK > setback && touch -r reference setback && rm reference
mv moved renamed
rm gone
ln linked twin
truncate -s ${SPARSE_BYTES} sparse
echo secret > unreadable && chmod 000 unreadable
ln -s "$OUTSIDE" out
mkfifo pipe
mkdir -p __pycache__ && echo cache > __pycache__/x.pyc
(cd many && seq 1 "$MANY" | xargs touch)
echo own > "$NEXUS_OUTPUT_DIR/own"
touch "$OUTSIDE/../made"
`;

const EXPECTED: Readonly<Record<string, string>> = {
  ...{
    new: "new\n",
    "sub/deep/file": "deep\n",
    changed: "now\n",
    setback: "SETBACK",
    renamed: "moved",
    linked: "linked",
  },
  ...{ twin: "linked", unreadable: "secret\n", own: "own\n" },
};

let world: World;
let server: ChildProcess;

beforeEach(async () => {
  world = await createWorld();
  mkdirSync(join(world.folder, "outside"));
  writeFileSync(join(world.folder, "outside/file"), "outside");
  server = await world.startServer();
});

afterEach(() => world.dispose());

const artifact = (): Uint8Array =>
  createTar([
    ...["same", "changed", "setback", "moved", "gone", "linked"].map((name) => ({ name, body: name })),
    { name: "dir/", type: "5", mode: 0o755 },
    { name: "dir/same", body: "same" },
    { name: "make.sh", body: MAKE },
  ]);

const upload = async (bytes: Uint8Array): Promise<string> => {
  const answer = await fetch(`${world.url}/v1/artifacts`, { method: "POST", body: bytes as Uint8Array<ArrayBuffer> });
  return ((await answer.json()) as { data: string }).data;
};

const start = async (end: string, many = 300): Promise<string> => {
  const { id } = await world.submit({
    command: `bash make.sh && ${end}`,
    artifact_id: await upload(artifact()),
    num_gpus: 0,
    env: { OUTSIDE: join(world.folder, "outside"), MANY: String(many) },
  });
  return id;
};

const waitUntilMade = (): Promise<void> =>
  waitUntil(() => existsSync(join(world.folder, "made")), "the job made its files");

const locate = (id: string, name = ""): string => join(world.folder, "server", "jobs", id, name);

const waitUntilKept = async (id: string): Promise<WireJob> => {
  await world.waitFor(id);
  await waitUntil(async () => (await world.job(id)).outputs.state !== "moving", "its files are moved");
  await waitUntil(() => !existsSync(locate(id, "repo")), "its folder is gone");
  return world.job(id);
};

const expectAllKept = (id: string, job: WireJob, many = 300): void => {
  const outputs = locate(id, "outputs");
  for (const [path, text] of Object.entries(EXPECTED))
    expect([path, readFileSync(join(outputs, path), "utf8")]).toEqual([path, text]);
  expect(readlinkSync(join(outputs, "out"))).toBe(join(world.folder, "outside"));
  const sparse = lstatSync(join(outputs, "sparse"));
  expect([sparse.size, sparse.blocks < 100]).toEqual([SPARSE_BYTES, true]);
  expect(lstatSync(join(outputs, "twin")).ino).toBe(lstatSync(join(outputs, "linked")).ino);
  expect(readdirSync(join(outputs, "many"))).toHaveLength(many);
  const names = readdirSync(outputs).toSorted();
  expect(names).toEqual(
    [...Object.keys(EXPECTED).filter((path) => !path.includes("/")), "many", "out", "sparse", "sub"].toSorted(),
  );
  for (const path of UNCHANGED) expect(existsSync(join(outputs, path))).toBe(false);
  expect(job.outputs).toMatchObject({
    state: "kept",
    files: Object.keys(EXPECTED).length + 2 + many,
    left_out: { files: 2 },
  });
  expect(job.notes).toEqual([]);
  expect(readdirSync(join(world.folder, "outside"))).toEqual(["file"]);
  expect(readFileSync(join(world.folder, "outside/file"), "utf8")).toBe("outside");
};

const killSession = async (id: string): Promise<void> => {
  await waitUntilMade();
  const pids = listProcessesWith(`NEXUS_JOB_ID=${id}`);
  for (const pid of pids) killProcess(pid);
  await waitUntil(() => listProcessesWith(`NEXUS_JOB_ID=${id}`).length === 0, "its processes are gone");
};

const restartMachine = async (id: string): Promise<void> => {
  await waitUntilMade();
  await stopChild(server, "SIGKILL");
  await killSession(id);
  const db = new Database(join(world.folder, "server", "jobs.db"));
  db.exec(`update jobs set details = replace(details, '"bootId":"', '"bootId":"earlier-')`);
  db.close();
  server = await world.startServer();
};

const kill = async (id: string): Promise<void> => {
  await waitUntilMade();
  await world.post(`/v1/jobs/${id}/kill`, {});
};

type End = readonly [how: string, command: string, act: ((id: string) => Promise<void>) | null, outcome: object];

const HELD = "sleep 600";

const ENDS: readonly End[] = [
  ["completes", "exit 0", null, { status: "completed", exit_code: 0 }],
  ["fails", "exit 3", null, { status: "failed", exit_code: 3 }],
  ["is killed by TERM", HELD, kill, { status: "killed" }],
  ["is killed by KILL", `trap '' TERM; while :; do sleep 0.2; done`, kill, { status: "killed" }],
  ["loses its session", HELD, killSession, { status: "failed", exit_code: null }],
  ["loses its machine", HELD, restartMachine, { status: "failed", error_message: "Lost: the machine restarted" }],
];

test.each(ENDS)(
  "of a job that %s all is kept that is new or changed, and nothing else",
  async (_how, command, act, outcome) => {
    const id = await start(command);
    await act?.(id);
    const job = await waitUntilKept(id);
    expect(job).toMatchObject(outcome);
    expectAllKept(id, job);
  },
  60_000,
);

const DYING = join(ROOT, "tests/torture/server.ts");

const dieAt = async (step: string, passes: number, go: () => void): Promise<void> => {
  await stopChild(server, "SIGTERM");
  const env = { ...world.env, NS_TORTURE_DIE_AT: `${step}:${passes}` };
  const dying = spawn(process.execPath, [DYING], { env, stdio: "ignore" });
  const died = new Promise<void>((resolve) => dying.once("exit", () => resolve()));
  await waitUntil(
    async () =>
      fetch(`${world.url}/v1/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    "the server answers",
  );
  go();
  await died;
  expect(dying.signalCode).toBe("SIGKILL");
};

const STEPS: readonly (readonly [string, number])[] = [
  ["end seen", 1],
  ["end written", 1],
  ["file moved", 1],
  ["file moved", 7],
  ["file moved", 200],
  ["files moved", 1],
  ["files accounted for", 1],
  ["repo removed", 1],
];

test.each(STEPS)(
  "though the server is killed at its end (%s, the %dth time) each file is in one place, and all are kept by the next",
  async (step, passes) => {
    const go = join(world.folder, "go");
    const id = await start(`until [[ -e ${go} ]]; do sleep 0.02; done`);
    await waitUntilMade();
    await dieAt(step, passes, () => writeFileSync(go, ""));
    const places = Object.keys(EXPECTED).map(
      (path) =>
        ["repo", "outputs"].filter((folder) => lstatSync(locate(id, `${folder}/${path}`), { throwIfNoEntry: false }))
          .length,
    );
    expect(new Set(places)).toEqual(new Set([1]));
    server = await world.startServer();
    const job = await waitUntilKept(id);
    expectAllKept(id, job);
  },
  60_000,
);

test("100 000 files are kept, and the server answers meanwhile", async () => {
  const id = await start("exit 0", MANY);
  await world.waitFor(id);
  let longest = 0;
  while ((await world.job(id)).outputs.state === "moving") {
    const startedAt = performance.now();
    await fetch(`${world.url}/v1/health`);
    longest = Math.max(longest, performance.now() - startedAt);
  }
  expect(longest).toBeLessThan(2000);
  const job = await waitUntilKept(id);
  expectAllKept(id, job, MANY);
}, 120_000);

test("a job whose code can't be unpacked keeps nothing, as its command never started", async () => {
  const { id } = await world.submit({ command: "true", artifact_id: await upload(Buffer.from("no tar")), num_gpus: 0 });
  const job = await waitUntilKept(id);
  expect(job).toMatchObject({ status: "failed", outputs: { state: "none", files: 0, left_out: { files: 0 } } });
});
