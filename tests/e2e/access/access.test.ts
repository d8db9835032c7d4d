import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { type Finished, NEXUS_SERVER, NX, runProgram, SERVER, stopChild } from "../../support/programs.ts";
import { type RemoteServer, startRemoteServer } from "../../support/remote.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
let remote: RemoteServer | null = null;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  await remote?.stop();
  remote = null;
  await world.dispose();
});

const start = async (settings: Readonly<Record<string, string>> = {}): Promise<RemoteServer> => {
  remote = await startRemoteServer(world, settings);
  return remote;
};

const token = (...words: readonly string[]): Promise<Finished> =>
  runProgram([NEXUS_SERVER, "token", ...words], { env: world.env, cwd: world.home });

const addToken = async (...words: readonly string[]): Promise<string> => {
  const added = await token("add", ...words);
  expect([added.exitCode, added.stdout]).toEqual([0, expect.stringMatching(/^[\w-]{43}\n$/)]);
  return added.stdout.trim();
};

const JOB = { command: "true", num_gpus: 0 };

describe("a call from elsewhere, over TLS", () => {
  test("takes a token that is right, not revoked and not expired, at once and without a restart", async () => {
    const { ask } = await start();
    const statusOf = async (sent?: string) =>
      (await ask([{ path: "/v1/jobs", ...(sent === undefined ? {} : { token: sent }) }]))[0]?.status;
    expect([await statusOf(), await statusOf("wrong")]).toEqual([401, 401]);
    const ann = await addToken("ann");
    const until = new Date(Math.ceil(Date.now() / 1000 + 1) * 1000).toISOString().replace(".000", "");
    const bob = await addToken("bob", "--expires", until);
    expect(await statusOf(ann)).toBe(200);
    const listed = await token("list");
    expect(listed.stdout).toMatch(/^NAME {2}ROLE {2}CREATED +EXPIRES\nann {3}user .* never\nbob {3}user .* UTC/);
    expect((await token("revoke", "ann")).exitCode).toBe(0);
    expect(await statusOf(ann)).toBe(401);
    await waitUntil(async () => (await statusOf(bob)) === 401, "bob's token expires");
    expect((await token("list")).stdout).toMatch(/bob .*\(expired\)$/m);
    const rotated = (await token("--rotate")).stdout.trim();
    expect(await statusOf(rotated)).toBe(200);
  });

  test("is from where it is, whatever headers say", async () => {
    const { ask } = await start();
    const forged = {
      "X-Forwarded-For": "127.0.0.1",
      Forwarded: "for=127.0.0.1",
      "X-Real-IP": "::1",
      "X-Nexus-User": "root",
    };
    const answers = await ask([
      { path: "/v1/jobs", headers: forged },
      { path: "/v1/jobs", method: "POST", json: { ...JOB, user: "root" }, headers: forged },
      { path: "/v1/jobs", headers: { ...forged, Host: "localhost" } },
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  test("does what the token's role may, as the token's name", async () => {
    const { ask } = await start();
    const [ann, eve] = [await addToken("ann"), await addToken("eve", "--role", "viewer")];
    const [mine, theirs, looked, watched] = await ask([
      { path: "/v1/jobs", method: "POST", json: { ...JOB, command: "sleep 30" }, token: ann },
      { path: "/v1/jobs", method: "POST", json: { ...JOB, user: "bob" }, token: ann },
      { path: "/v1/jobs", token: eve },
      { path: "/v1/jobs", method: "POST", json: JOB, token: eve },
    ]);
    const { id, user } = JSON.parse(mine?.text ?? "") as WireJob;
    expect([user, theirs?.status, looked?.status, watched?.status]).toEqual(["ann", 403, 200, 403]);
    const [refused, killed] = await ask([
      { path: `/v1/jobs/${id}/kill`, method: "POST", token: eve },
      { path: `/v1/jobs/${id}/kill`, method: "POST", token: ann },
    ]);
    expect([refused?.status, killed?.status]).toEqual([403, 204]);
  });
});

test("what the verbs change is told in tokens.log, without the tokens", async () => {
  await start();
  const made = [await addToken("ann", "--role", "admin"), (await token("--rotate")).stdout.trim()];
  await token("revoke", "ann");
  await token("list");
  await token("revoke", "zoe");
  const path = join(world.folder, "server", "tokens.log");
  const text = readFileSync(path, "utf8");
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  const by = { by: expect.any(String), time: expect.any(String) };
  expect(lines).toEqual([
    { change: "add", name: "ann", role: "admin", ...by },
    { change: "rotate", ...by },
    { change: "revoke", name: "ann", ...by },
  ]);
  expect(made.filter((one) => text.includes(one))).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("settings with a token that others may read are warned of", async () => {
  const config = join(world.folder, "server", "config.toml");
  mkdirSync(join(config, ".."), { mode: 0o700 });
  writeFileSync(config, `api_token = "${PLANTED.setting}"\n`, { mode: 0o644 });
  const { log } = await start();
  const text = readFileSync(log, "utf8");
  expect(text).toContain(`chmod 600 ${config}`);
  expect(text).not.toContain(PLANTED.setting);
});

test("mistakes in the token verb are one line each, and change nothing", async () => {
  const early = await token("add", "ann");
  expect([early.exitCode, early.stdout]).toEqual([1, ""]);
  expect(early.stderr).toContain("start the server once");
  await start();
  for (const words of [
    ["add"],
    ["add", " "],
    ["add", "a\nb"],
    ["add", "x", "--role", "boss"],
    ["add", "x", "--expires", "soon"],
    ["show"],
    [],
  ]) {
    const refused = await token(...words);
    expect([refused.exitCode, refused.stdout, refused.stderr.trimEnd().split("\n").length]).toEqual([2, "", 1]);
  }
  await addToken("ann");
  for (const words of [
    ["add", "ann"],
    ["revoke", "zoe"],
  ])
    expect((await token(...words)).exitCode).toBe(1);
  expect(JSON.parse((await token("list", "--json")).stdout)).toMatchObject([
    { name: "ann", role: "user", expires_at: null },
  ]);
});

describe("the token of the first start", () => {
  const startInto = async (stderr: number | "pipe"): Promise<string> => {
    const child = spawn(SERVER[0] ?? "", SERVER.slice(1), { env: world.env, stdio: ["ignore", "ignore", stderr] });
    let said = "";
    child.stderr?.on("data", (data) => (said += String(data)));
    await waitUntil(
      async () =>
        fetch(`${world.url}/v1/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      "the server answers",
    );
    await stopChild(child, "SIGTERM");
    return said;
  };

  test("is shown once to who looks on", async () => {
    expect(await startInto("pipe")).toMatch(/^API token \(shown only once\): [\w-]{43}\n$/);
    expect(await startInto("pipe")).toBe("");
  });

  test("is not written into a log", async () => {
    const path = join(world.folder, "kept.log");
    const file = openSync(path, "a");
    await startInto(file);
    closeSync(file);
    expect(readFileSync(path, "utf8")).toMatch(/^An API token was made, .*\n$/);
  });
});

const listFiles = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const readCommandLines = (): string =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    })
    .join("\n");

const showSettings = (): Promise<Finished> => runProgram([NEXUS_SERVER, "config"], { env: world.env, cwd: world.home });

const PLANTED = {
  setting: "planted-setting-3f1c9a5e7b2d4860",
  wrong: "planted-wrong-91c2e4d7a6b80f35",
  variable: "planted-variable-5d8e2b7f0a1c6943",
};

const writePrivately = (path: string, text: string): void => {
  mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600 });
};

test("no secret is in process lists, logs, errors, or files that others may read", async () => {
  const config = join(world.folder, "server", "config.toml");
  writePrivately(config, `api_token = "${PLANTED.setting}"\nlog_level = "debug"\n`);
  const { ask, enter, log, url } = await start();
  const ann = await addToken("ann");
  const secrets = [...Object.values(PLANTED), ann];
  const { hostname, port } = new URL(url);
  const own = join(world.home, ".nexus", "config.toml");
  const fingerprint = "00".repeat(32);
  const addTarget = (name: string, sent: string) =>
    `[targets.${name}]\nhost = "${hostname}"\nport = ${port}\nprotocol = "https"\napi_token = "${sent}"\ncertificate_fingerprint = "${fingerprint}"\n`;
  writePrivately(own, addTarget("lab", ann) + addTarget("mistaken", PLANTED.wrong));
  const environment = { SECRET: PLANTED.variable };
  const answers = await ask([
    { path: "/v1/jobs", token: PLANTED.wrong },
    { path: `/v1/jobs?user=x`, token: PLANTED.setting },
    {
      path: "/v1/jobs",
      method: "POST",
      token: ann,
      json: { ...JOB, command: "sleep 30", env: environment, job_id: "a" },
    },
    { path: "/v1/jobs", method: "POST", token: ann, json: { ...JOB, env: environment, user: "bob" } },
    { path: "/v1/jobs", method: "POST", token: ann, json: { ...JOB, env: environment, gpu_idxs: [99] } },
    { path: "/v1/jobs/a", token: ann },
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 200, 201, 403, 422, 200]);
  const runs = ["lab", "mistaken"].map((name) =>
    runProgram(enter([NX, "queue", "-t", name]), { env: world.env, cwd: world.home }),
  );
  const lists = readCommandLines();
  const said = await Promise.all([
    ...runs,
    token("list"),
    token("list", "--json"),
    token("revoke", "ann"),
    showSettings(),
  ]);
  const texts = [...answers.map(({ text }) => text), ...said.flatMap(({ stdout, stderr }) => [stdout, stderr])];
  const told = [lists, readFileSync(log, "utf8"), ...texts].join("\n");
  for (const secret of secrets) expect(told).not.toContain(secret);
  for (const path of listFiles(world.folder)) {
    const bytes = readFileSync(path);
    const found = secrets.filter((secret) => bytes.includes(secret));
    const isPrivate = (statSync(path).mode & 0o077) === 0;
    expect([path, found]).toEqual([path, isPrivate && [config, own].includes(path) ? expect.any(Array) : []]);
  }
});
