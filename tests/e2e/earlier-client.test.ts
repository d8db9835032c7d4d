import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWorld, runProgram, type World } from "./programs.ts";

const PACKAGES = [
  ...["nexusai==0.5.20", "requests", "urllib3", "idna", "certifi", "charset-normalizer", "termcolor", "toml", "base58"],
  ...["pydantic", "pydantic-core", "pydantic-settings", "python-dotenv", "typing-extensions", "annotated-types"],
  ...["typing-inspection", "argcomplete"],
];

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const installClient = async (site: string): Promise<void> => {
  const pip = [
    "python3",
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--target",
    site,
  ];
  const installed = await runProgram([...pip, ...PACKAGES], { env: process.env, cwd: world.folder });
  expect(installed).toMatchObject({ exitCode: 0 });
};

const makeArtifact = async (): Promise<void> => {
  writeFileSync(join(world.home, "greeting"), "hello\n");
  await runProgram(["tar", "-cf", "artifact.tar", "greeting"], { env: world.env, cwd: world.home });
};

const configureClient = (): void => {
  const port = world.env["NS_PORT"];
  const target = `[targets.here]\nhost = "127.0.0.1"\nport = ${port}\nprotocol = "http"\n`;
  mkdirSync(join(world.home, ".nexus"));
  writeFileSync(join(world.home, ".nexus", "config.toml"), `default_target = "here"\nuser = "ada"\n${target}`);
};

test("the Python client of Nexus 0.5.20 works against the server", async () => {
  const site = join(world.folder, "site");
  await Promise.all([installClient(site), makeArtifact(), world.startServer()]);
  configureClient();
  const script = join(import.meta.dirname, "earlier_client.py");
  const run = await runProgram(["python3", script], { env: { ...world.env, PYTHONPATH: site }, cwd: world.home });
  expect(run).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(run.stdout)).toEqual({
    heartbeat: true,
    artifact: true,
    unknown_artifact: [false, null],
    statuses: ["running", "running"],
    queue: true,
    edited: ["echo edited", 7],
    env: { SECRET: "********" },
    gpus: true,
    removed: true,
    blacklisted: { blacklisted: [1], removed: [], failed: [] },
    taken_back: { blacklisted: [], removed: [1], failed: [] },
    killed: [],
    health: ["alive", "disk", "network", "score", "status", "system"],
    ends: ["killed", "killed"],
    last: 0,
    status: [
      ...["completed_jobs", "gpu_count", "gpu_error", "mock", "node_name", "queued_jobs", "running_jobs"],
      ...["server_user", "server_version"],
    ],
  });
}, 120_000);
