import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { asUid, canBeOthers } from "../../support/as-user.ts";
import { pickPort } from "../../support/pick-port.ts";
import { type Finished, NEXUS_SERVER, NX, ROOT, runProgram } from "../../support/programs.ts";
import { openTmux } from "../../support/tmux-terminal.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const DAEMON = 1;
const START_FILE = Buffer.from([...Buffer.from("alias a=b # "), 0xff, 0xfe, 0x0a]);

let world: World;
let env: NodeJS.ProcessEnv;
let serverDir: string;

beforeEach(async () => {
  world = await createWorld();
  const { NS_SERVER_DIR: _named, ...rest } = world.env;
  env = rest;
  serverDir = join(world.home, ".local", "state", "nexus-server");
});

afterEach(() => world.dispose());

const run = (program: string, words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  runProgram([program, ...words], { env: { ...env, ...more }, cwd: world.home });

const nx = (...words: readonly string[]): Promise<Finished> => run(NX, words);

const uninstall = (...words: readonly string[]): Promise<Finished> => run(NEXUS_SERVER, ["uninstall", ...words]);

const readPid = (): number => Number(readFileSync(join(serverDir, "server.pid"), "utf8"));

const inHome = (name: string): string => join(world.home, name);

const listHome = (): readonly string[] =>
  Bun.spawnSync(["find", world.home, "-name", ".bun", "-prune", "-o", "-type", "f", "-print"])
    .stdout.toString()
    .trimEnd()
    .split("\n");

const submit = async (command: string): Promise<string> =>
  (await nx("add", "-c", "--no-git", "-q", command)).stdout.trim();

const waitForStatus = (id: string, status: string, more: NodeJS.ProcessEnv = {}): Promise<void> =>
  waitUntil(async () => {
    const { stdout } = await run(NX, ["get", id, "--json"], more);
    return stdout.includes(`"status": "${status}"`);
  }, `job ${id} is ${status}`);

const startJob = async (): Promise<string> => {
  const id = await submit(`until [ -e ${inHome("go")} ]; do sleep 0.05; done`);
  await waitForStatus(id, "running");
  return id;
};

const settle = async (): Promise<string> => {
  mkdirSync(inHome(".nexus"));
  writeFileSync(inHome(".nexus/config.toml"), 'user = "ann"\n');
  writeFileSync(inHome(".bashrc"), START_FILE, { mode: 0o640 });
  await nx("completion", "install", "bash");
  await nx("completion", "install", "fish");
  const id = await submit("true");
  await waitForStatus(id, "completed");
  return id;
};

describe("uninstalling a server of one's own", () => {
  test("stops it and says what stays; nx starts it again with all that it had", async () => {
    const id = await settle();
    const pid = readPid();
    const before = listHome().filter((path) => !/(?:sock|-wal|-shm|-journal|pid|listening)$|\/jobs\//.test(path));
    const finished = await uninstall();
    expect([finished.exitCode, finished.stderr]).toEqual([0, ""]);
    await waitUntil(() => !existsSync(`/proc/${pid}`), "the server is gone");
    const said = finished.stdout.split("\n");
    expect(said[0]).toBe(`· stop the server (pid ${pid}) on ${serverDir}`);
    expect(said).toContain(`  ${serverDir}, with the server's jobs, logs and settings`);
    expect(said).toContain(`  in ${inHome(".nexus")}, what is yours in nx, tokens and variables too: config.toml`);
    expect(said).toContain(`  in ${inHome(".nexus")}, for completion: completion.bash`);
    expect(said).toContain(`  in ${inHome(".config/fish/completions")}, for completion: nx.fish, nexus.fish`);
    expect(said).toContain(`  in ${inHome(".bashrc")}, a line`);
    expect(said).toContain(`The programs stay: ${ROOT}.`);
    expect(finished.stdout).toContain("autostart = false");
    const after = listHome();
    expect(before.filter((path) => !after.includes(path))).toEqual([]);
    const again = await uninstall();
    expect([again.exitCode, again.stdout.split("\n")[0]]).toEqual([0, `No server runs on ${serverDir}`]);
    expect((await nx("history", "-q")).stdout).toBe(`${id}\n`);
    expect(readPid()).not.toBe(pid);
  });

  test("is refused while a job runs; forced, the job goes on", async () => {
    const id = await startJob();
    const pid = readPid();
    for (const words of [[], ["--delete-data", "-y"], ["--dry-run"]]) {
      const refused = await uninstall(...words);
      expect([refused.exitCode, refused.stdout]).toEqual([6, ""]);
      expect(refused.stderr).toStartWith("nexus-server: 1 job is running: ");
    }
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect((await uninstall("--force")).exitCode).toBe(0);
    await waitUntil(() => !existsSync(`/proc/${pid}`), "the server is gone");
    writeFileSync(inHome("go"), "");
    await waitForStatus(id, "completed");
  });

  test("deletes with --delete-data what is its own and nx's, and nothing else", async () => {
    await settle();
    mkdirSync(inHome(".ssh"));
    const key = (folder: string, blob: string): string =>
      `restrict,pty,command="/x/nexus-server attach-session --server-dir ${folder}" ssh-ed25519 ${blob}\n`;
    const others = `ssh-ed25519 AAAA mine\n${key(`${serverDir}2`, "BBBB")}`;
    writeFileSync(inHome(".ssh/authorized_keys"), `${others}${key(serverDir, "CCCC")}`);
    writeFileSync(inHome(".nexus/notes"), "mine");
    writeFileSync(join(serverDir, "thesis.txt"), "mine");
    writeFileSync(inHome(".config/fish/completions/nexus.fish"), "complete -c nexus -a of-another-nexus\n");
    const asked = await uninstall("--delete-data");
    expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringContaining("add -y")]);
    const dry = await uninstall("--delete-data", "--dry-run");
    expect(dry.stdout).toContain(`remove from ${inHome(".nexus")}: config.toml\n`);
    expect(existsSync(join(serverDir, "server.pid"))).toBe(true);
    const finished = await uninstall("--delete-data", "-y");
    expect([finished.exitCode, finished.stderr]).toEqual([0, ""]);
    expect(finished.stdout).toContain(
      `Not of Nexus, so it stays: ${join(serverDir, "thesis.txt")}, ${inHome(".nexus/notes")}\n`,
    );
    const kept = [".bashrc", ".config/fish/completions/nexus.fish", ".nexus/notes", ".ssh/authorized_keys"].map(inHome);
    expect(listHome().toSorted()).toEqual([...kept, join(serverDir, "thesis.txt")].toSorted());
    expect(readFileSync(inHome(".bashrc"))).toEqual(START_FILE);
    expect(readFileSync(inHome(".ssh/authorized_keys"), "utf8")).toBe(others);
    const nothing = await uninstall();
    expect([nothing.exitCode, nothing.stderr]).toEqual([5, expect.stringContaining("no server of yours")]);
  });

  test("asks on a terminal before it deletes, and leaves all as it is at a no", async () => {
    await settle();
    const terminal = await openTmux({ env, cwd: world.home });
    try {
      terminal.type(`${NEXUS_SERVER} uninstall --delete-data; echo "ended $?"`);
      terminal.press("Enter");
      await terminal.waitFor("for good? [y/N]");
      terminal.type("n");
      terminal.press("Enter");
      await terminal.waitFor("ended 1");
      expect([existsSync(`/proc/${readPid()}`), existsSync(inHome(".nexus/config.toml"))]).toEqual([true, true]);
    } finally {
      terminal.close();
    }
  });

  test("leaves settings with --keep-config", async () => {
    await settle();
    writeFileSync(join(serverDir, "config.toml"), "max_cpu_jobs = 1\n");
    expect((await uninstall("--delete-data", "--keep-config", "-y")).exitCode).toBe(0);
    expect(listHome().toSorted()).toEqual(
      [inHome(".bashrc"), join(serverDir, "config.toml"), inHome(".nexus/config.toml")].toSorted(),
    );
  });

  test("of another folder, which was named, takes nothing of nx away", async () => {
    await settle();
    const named = inHome("other");
    const more = { NS_SERVER_DIR: named, NS_PORT: String(await pickPort()) };
    const added = await run(NX, ["add", "-c", "--no-git", "-q", "true"], more);
    expect(added.stderr).toContain("starting one");
    await waitForStatus(added.stdout.trim(), "completed", more);
    const pid = readPid();
    const finished = await uninstall("--server-dir", named, "--delete-data", "-y");
    expect([finished.exitCode, existsSync(named)]).toEqual([0, false]);
    expect([existsSync(`/proc/${pid}`), existsSync(inHome(".nexus/config.toml"))]).toEqual([true, true]);
    expect(readFileSync(inHome(".bashrc"), "utf8")).toContain("completion.bash");
  });

  test("of a folder in which no server was is refused, whatever the names in it", async () => {
    const named = inHome("project");
    mkdirSync(join(named, "jobs"), { recursive: true });
    writeFileSync(join(named, "config.toml"), "");
    const refused = await run(NEXUS_SERVER, ["uninstall", "--delete-data", "-y"], { NS_SERVER_DIR: named });
    expect([refused.exitCode, refused.stdout, readdirSync(named).toSorted()]).toEqual([5, "", ["config.toml", "jobs"]]);
  });

  test("empties a folder that a link leads to, and leaves the link", async () => {
    mkdirSync(inHome("disk"));
    mkdirSync(dirname(serverDir), { recursive: true });
    symlinkSync(inHome("disk"), serverDir);
    await settle();
    const finished = await uninstall("--delete-data", "-y");
    expect([finished.exitCode, finished.stderr]).toEqual([0, ""]);
    expect([readdirSync(inHome("disk")), lstatSync(serverDir).isSymbolicLink()]).toEqual([[], true]);
  });

  test.skipIf(!canBeOthers)("is refused to another user, who is told whose it is", async () => {
    await settle();
    for (const folder of [world.folder, world.home, inHome(".local"), inHome(".local/state"), serverDir])
      chmodSync(folder, 0o755);
    const words = ["uninstall", "--server-dir", serverDir, "--delete-data", "-y"];
    const refused = await runProgram(asUid(DAEMON, [NEXUS_SERVER, ...words]), { env: { ...env, HOME: "/" }, cwd: "/" });
    expect([refused.exitCode, refused.stdout]).toEqual([4, ""]);
    expect(refused.stderr).toContain(`${serverDir} belongs to another user`);
    expect(existsSync(`/proc/${readPid()}`)).toBe(true);
  });
});
