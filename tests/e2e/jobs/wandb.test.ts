import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RunningJob } from "../../../src/server/core/jobs/job.ts";
import type { WandbPage } from "../../../src/server/core/running/executor.ts";
import { createWandbFinder } from "../../../src/server/external/wandb/wandb.ts";
import { checkAbility } from "../../support/ability.ts";
import { FIXTURES, runProgram } from "../../support/programs.ts";
import { startWandb, type WandbStandIn } from "../../support/stand-ins/wandb.ts";

type Step = Readonly<{ id?: string; project?: string; dir?: string; resume?: string; group?: string; dies?: boolean }>;
type Case = Readonly<{ steps: readonly Step[]; env?: Readonly<Record<string, string>>; found: string | RegExp }>;
type Mode = (typeof MODES)[number];
type Recorded = Readonly<Record<string, Readonly<Record<string, string>>>>;

const MODES = ["offline", "online"] as const;
const PACKAGE = "wandb==0.31.0";
const INSTALL_LIMIT_MS = 300_000;
const SCRIPT = join(import.meta.dirname, "wandb_runs.py");
const FOLDER = "@JOB@";

const CASES: Readonly<Record<string, Case>> = {
  "of several runs the first": {
    steps: [
      { id: "first", project: "vision" },
      { id: "later", project: "vision" },
    ],
    found: "vision/runs/first",
  },
  "a resumed run, under its one name": {
    steps: [
      { id: "again", project: "vision" },
      { id: "again", project: "vision", resume: "allow" },
    ],
    found: "vision/runs/again",
  },
  "a run of a sweep": {
    steps: [{ group: "lr" }],
    env: { WANDB_SWEEP_ID: "sw7f3q9a", WANDB_PROJECT: "vision" },
    found: /^vision\/runs\/[a-z0-9]{8}$/,
  },
  "a run in a nested folder": {
    steps: [{ id: "nested", project: "vision", dir: "out/exp 1/logs" }],
    found: "vision/runs/nested",
  },
  "a run whose program died": {
    steps: [{ id: "died", dies: true }],
    env: { WANDB_PROJECT: "named" },
    found: "named/runs/died",
  },
};

const startedAt = Date.now() / 1000 - 1;

const root = realpathSync(mkdtempSync(join(tmpdir(), "nexus-wandb-")));
let api: WandbStandIn;

const install = async (): Promise<boolean> => {
  const options = ["-q", "--no-compile", "--retries", "1", "--timeout", "10"];
  const argv = ["timeout", "60", "python3", "-m", "pip", "install", ...options, "--target", join(root, "lib"), PACKAGE];
  return (await runProgram(argv, { env: process.env, cwd: root })).exitCode === 0;
};

const canInstallWandb = checkAbility(await install(), `a package index with ${PACKAGE}`);

const locateJob = (name: string): string => join(root, name.replaceAll(/\W+/g, "-"));

const listCredentials = (mode: Mode): Readonly<Record<string, string>> =>
  mode === "online" ? { WANDB_BASE_URL: api.url, WANDB_API_KEY: api.key } : {};

const runSteps = async (mode: Mode, name: string, { steps, env = {} }: Case): Promise<void> => {
  const cwd = join(locateJob(`${mode} ${name}`), "repo");
  const own = {
    PATH: process.env["PATH"],
    HOME: root,
    TMPDIR: root,
    PYTHONPATH: join(root, "lib"),
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const lab = {
    WANDB_ENTITY: "lab",
    WANDB_SILENT: "true",
    WANDB_ERROR_REPORTING: "false",
    WANDB_CACHE_DIR: join(root, "cache"),
  };
  const argv = ["timeout", "120", "python3", SCRIPT, JSON.stringify(steps)];
  const finished = await runProgram(argv, {
    env: { ...own, ...lab, WANDB_MODE: mode, ...listCredentials(mode), ...env },
    cwd,
  });
  const isExpected = finished.exitCode === (steps.some(({ dies }) => dies) ? 1 : 0);
  if (!isExpected) throw new Error(`wandb failed: ${finished.stderr}`);
};

const putRecorded = (mode: Mode, name: string, project: string): void => {
  const recorded = JSON.parse(readFileSync(join(FIXTURES, "wandb", `${mode}-0.31.0.json`), "utf8")) as Recorded;
  const job = locateJob(`recorded ${mode} ${name}`);
  for (const [path, text] of Object.entries(recorded[name] ?? {})) {
    const file = join(job, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll(FOLDER, job));
    api.addRun(project, /run-\d+_\d+-([^/]+)/.exec(path)?.[1] ?? "");
  }
};

const find = (mode: Mode, job: string, { env = {} }: Case): Promise<WandbPage | null> =>
  createWandbFinder().find({ id: "k3f9ab", dir: locateJob(job), startedAt } as RunningJob, {
    WANDB_ENTITY: "lab",
    ...listCredentials(mode),
    ...env,
  });

const EXPECTED: Readonly<Record<Mode, (job: string, found: string) => unknown>> = {
  online: (_job, found) => ({ wandbUrl: expect.stringMatching(new RegExp(`^${api.url}/lab/${found}$`)) }),
  offline: (job, found) => {
    const run = found.replace(/^.*\//, "");
    const told = `^offline run ${run} \\(sync it with wandb sync '?${locateJob(job)}/repo/.*wandb/offline-run-[\\d_]+-${run}'?\\)$`;
    return { wandbUrl: null, wandbNote: expect.stringMatching(new RegExp(told)) };
  },
};

beforeAll(async () => {
  api = startWandb();
  for (const mode of canInstallWandb ? MODES : []) {
    const names = Object.keys(CASES);
    for (const name of names) mkdirSync(join(locateJob(`${mode} ${name}`), "repo"), { recursive: true });
    await Promise.all(Object.entries(CASES).map(([name, each]) => runSteps(mode, name, each)));
  }
}, INSTALL_LIMIT_MS);

afterAll(async () => {
  await api.stop();
  rmSync(root, { recursive: true, force: true });
});

const check = async (mode: Mode, job: string, each: Case): Promise<void> => {
  const found = typeof each.found === "string" ? each.found : each.found.source.replaceAll(/[\^$]/g, "");
  const before = api.questions.length;
  expect<unknown>(await find(mode, job, each)).toEqual(EXPECTED[mode](job, found));
  expect(api.questions.length > before).toBe(mode === "online");
};

describe.each(MODES)("%s", (mode) => {
  test.each(Object.entries(CASES))("%s is found in what the wandb package wrote, as it was recorded", (name, each) => {
    putRecorded(mode, name, String(each.found).replace(/^\W*(\w+).*$/, "$1"));
    return check(mode, `recorded ${mode} ${name}`, each);
  });

  describe.skipIf(!canInstallWandb)("with the real package", () => {
    test.each(Object.entries(CASES))("%s is found in what it writes", (name, each) =>
      check(mode, `${mode} ${name}`, each),
    );
  });
});
