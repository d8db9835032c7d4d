import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { nameTunnel } from "../../../src/cli/targets/ssh-place.ts";
import { asUid, canBeOthers } from "../../support/as-user.ts";
import { createUserEnvironment } from "../../support/piped-nx.ts";
import { type Finished, NX, runProgram } from "../../support/programs.ts";
import { DAEMON, startThief, type Thief, type ThiefOptions } from "../../support/thief.ts";

const ANN = 54_321;
const ROOT = 0;
const UNREACHABLE = 3;
const SECRET = "annsecretannsecret1";
const STATUS = { server_version: "1.0.0", node_name: "box", gpu_count: 2 };

let folder: string;
let home: string;
let cleanUps: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nexus-thief-"));
  home = join(folder, "home");
  mkdirSync(join(home, ".nexus"), { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o755);
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const steal = async (options: ThiefOptions = {}): Promise<Thief> => {
  const thief = await startThief(mkdtempSync(join(folder, "thief-")), options);
  cleanUps.push(thief.stop);
  return thief;
};

const runAs = async (uid: number, argv: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> => {
  await runProgram(["chown", "-R", `${uid}:${uid}`, home], { env: process.env, cwd: "/" });
  return runProgram(asUid(uid, argv), { env: { ...createUserEnvironment(home), ...more }, cwd: home });
};

const nxAs = (uid: number, words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runAs(uid, [NX, ...words], more);

const writeConfig = (text: string): void => writeFileSync(join(home, ".nexus", "config.toml"), text, { mode: 0o600 });

const writeTarget = (url: string, more = ""): void => {
  const { hostname, port } = new URL(url);
  const host = hostname.replaceAll(/[[\]]/g, "");
  writeConfig(`[targets.tun]\nprotocol = "http"\nhost = "${host}"\nport = ${port}\napi_token = "${SECRET}"\n${more}\n`);
};

const VERBS: readonly (readonly string[])[] = [
  ["status"],
  ["queue"],
  ["run", "-d", "-c", "--no-git", "-e", `HF_TOKEN=${SECRET}`, "true"],
  ["add", "-y", "-c", "--no-git", "-e", `HF_TOKEN=${SECRET}`, "true"],
  ["kill", "-y", "abcdef"],
  ["logs", "-F", "abcdef"],
  ["wait", "abcdef"],
  ["get", "abcdef"],
  ["health"],
  ["blacklist", "add", "0"],
];

const expectRefused = ({ exitCode, stdout, stderr }: Finished): void => {
  expect([exitCode, stdout]).toEqual([UNREACHABLE, ""]);
  expect(stderr).toMatch(/^nx: nothing was sent to the server "\w+" at .*daemon/m);
  expect(stderr.split("\n").filter((line) => line !== "")).toHaveLength(1);
};

describe.skipIf(!canBeOthers)("another user who took the port first", () => {
  test.each(VERBS)("gets nothing of nx %s, and is named", async (...words) => {
    const thief = await steal();
    expectRefused(await nxAs(ANN, words, { NS_PORT: String(thief.port), HF_TOKEN: SECRET }));
    expect(thief.received()).toBe("");
  });

  test.each(["http://127.0.0.1", "http://localhost", "http://127.1", "http://[::1]"])(
    "is no target at %s, neither to add nor to use",
    async (host) => {
      const thief = await steal({ host: host.includes("::1") ? "::1" : "127.0.0.1" });
      const url = `${host}:${thief.port}`;
      expectRefused(await nxAs(ANN, ["target", "add", "tun", url], { NEXUS_API_TOKEN: SECRET }));
      expectRefused(await nxAs(ANN, ["setup", "--non-interactive", "--remote", "--name", "tun", "--url", url]));
      writeTarget(url);
      expectRefused(await nxAs(ANN, ["-t", "tun", "queue"]));
      expect(thief.received()).toBe("");
    },
  );

  test("gets nothing of what needs a terminal", async () => {
    const thief = await steal();
    for (const line of [`${NX} attach abcdef`, `${NX} top`, `${NX} run -c --no-git -e HF_TOKEN=${SECRET}`]) {
      const argv = ["script", "-qec", line, "/dev/null"];
      const shown = await runAs(ANN, argv, { TERM: "xterm", NS_PORT: String(thief.port) });
      expect([shown.exitCode, shown.stdout]).toEqual([UNREACHABLE, expect.stringContaining("nothing was sent")]);
    }
    expect(thief.received()).toBe("");
  });

  test("gets nothing of root either", async () => {
    const thief = await steal();
    expectRefused(await nxAs(ROOT, ["queue"], { NS_PORT: String(thief.port) }));
    expect(thief.received()).toBe("");
  });

  test("and lets the kernel wait for the first byte gets none", async () => {
    const thief = await steal({ kind: "defers" });
    expectRefused(await nxAs(ANN, ["queue"], { NS_PORT: String(thief.port) }));
    expect(thief.received()).toBe("");
  });

  test("and accepts late gets nothing, then or later", async () => {
    const thief = await steal({ kind: "late" });
    const started = performance.now();
    const refused = await nxAs(ANN, ["queue"], { NS_PORT: String(thief.port) });
    expect(performance.now() - started).toBeGreaterThan(1900);
    expect([refused.exitCode, refused.stderr]).toEqual([UNREACHABLE, expect.stringContaining("within 2 s")]);
    await thief.accept();
    expect(thief.received()).toBe("");
  });

  test("is not shown by Tab", async () => {
    const thief = await steal();
    const words = ["__complete", "kill", ""];
    const shown = await nxAs(ANN, words, { NS_PORT: String(thief.port), NEXUS_PORT: "tcp://10.0.0.1:1" });
    expect([shown.exitCode, shown.stdout, shown.stderr, thief.received()]).toEqual([0, "", "", ""]);
  });

  test("is spoken to where the target says that anybody may listen", async () => {
    const thief = await steal();
    writeTarget(`http://127.0.0.1:${thief.port}`, 'listener = "any"');
    await nxAs(ANN, ["-t", "tun", "queue"]);
    expect(thief.received()).toContain(`Bearer ${SECRET}`);
    writeTarget(`http://127.0.0.1:${thief.port}`, 'listener = "mine"');
    const mistaken = await nxAs(ANN, ["-t", "tun", "queue"]);
    expect([mistaken.exitCode, mistaken.stderr]).toEqual([1, expect.stringContaining('can only be "any"')]);
  });
});

describe.skipIf(!canBeOthers)("one's own server, and root's", () => {
  test.each([
    ["one's own", ANN, "eager"],
    ["root's", ROOT, "eager"],
    ["one's own that waits for the first byte", ANN, "defers"],
  ] as const)("%s is spoken to", async (_whose, uid, kind) => {
    const server = await steal({ uid, kind });
    await nxAs(ANN, ["queue"], { NS_PORT: String(server.port) });
    expect(server.received()).toContain("/v1/jobs");
  });

  test("one that is slow to accept is waited for", async () => {
    const server = await steal({ uid: ANN, kind: "late" });
    const asked = nxAs(ANN, ["queue"], { NS_PORT: String(server.port) });
    await server.accept();
    await asked;
    expect(server.received()).toContain("/v1/jobs");
  });
});

describe.skipIf(!canBeOthers)("a socket of another user", () => {
  const stealSocket = async (path: string): Promise<Thief> => {
    const thief = await steal({ path });
    cleanUps.push(() => rmSync(path, { force: true }));
    return thief;
  };

  const makeShared = (mode: number): string => {
    const shared = join(folder, "shared");
    mkdirSync(shared);
    chmodSync(shared, mode);
    return shared;
  };

  test("at NEXUS_SOCKET gets nothing of any verb", async () => {
    const path = join(makeShared(0o1777), "nexus.sock");
    const thief = await stealSocket(path);
    for (const words of VERBS) expectRefused(await nxAs(ANN, words, { NEXUS_SOCKET: path }));
    expectRefused(await nxAs(ROOT, ["queue"], { NEXUS_SOCKET: path }));
    expect(thief.received()).toBe("");
  });

  test("is not trusted for lying in a folder that anybody may write to", async () => {
    const shared = makeShared(0o777);
    const server = await steal({ uid: ANN, path: join(shared, "nexus.sock") });
    const refused = await nxAs(ANN, ["queue"], { NEXUS_SOCKET: join(shared, "nexus.sock") });
    expect([refused.exitCode, refused.stderr]).toEqual([UNREACHABLE, expect.stringContaining(`chmod go-w ${shared}`)]);
    expect(server.received()).toBe("");
  });

  const claimTemporary = async (): Promise<string> => {
    const claimed = `/tmp/nexus-${ANN}`;
    mkdirSync(claimed);
    cleanUps.push(() => rmSync(claimed, { recursive: true, force: true }));
    chownSync(claimed, DAEMON, DAEMON);
    return claimed;
  };

  test("in /tmp, where a personal server's would be, gets nothing", async () => {
    const claimed = await claimTemporary();
    const serverDir = join(home, "x".repeat(120));
    const missing = await nxAs(ANN, ["target", "list"], { NS_SERVER_DIR: serverDir });
    const path = /unix:\/\/(\S+)/.exec(missing.stdout)?.[1] ?? "";
    expect(dirname(path)).toBe(claimed);
    const thief = await stealSocket(path);
    expectRefused(await nxAs(ANN, ["queue"], { NS_SERVER_DIR: serverDir }));
    rmSync(path);
    chmodSync(claimed, 0o700);
    expectRefused(await nxAs(ANN, ["queue"], { NS_SERVER_DIR: serverDir }));
    expect(thief.received()).toBe("");
  });

  test("in /tmp, where a tunnel's would be, gets nothing", async () => {
    const claimed = await claimTemporary();
    writeConfig('[targets.box]\nprotocol = "ssh"\nhost = "gpu-box.invalid"\n');
    const refused = await nxAs(ANN, ["-t", "box", "queue"]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(`${claimed} must be a folder`)]);
    const address = { user: null, host: "gpu-box.invalid", port: null, serverAt: "54323" };
    const path = join(claimed, nameTunnel(home, address));
    const thief = await stealSocket(path);
    expectRefused(await nxAs(ANN, ["-t", "box", "queue"]));
    expect(thief.received()).toBe("");
  });
});

test("a server that answers is reached by its port as before", async () => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json(STATUS) });
  cleanUps.push(() => server.stop(true));
  const added = await nxAs(process.getuid?.() ?? 0, ["target", "add", "tun", `http://127.0.0.1:${server.port}`]);
  expect([added.exitCode, added.stderr]).toEqual([0, expect.stringContaining("nx target tun")]);
  expect(readFileSync(join(home, ".nexus", "config.toml"), "utf8")).toContain('host = "127.0.0.1"');
});
