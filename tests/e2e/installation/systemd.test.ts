import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireJob } from "../../../src/wire/job.ts";
import { type Finished, ROOT } from "../../support/programs.ts";
import { bootMachine, canBootSystemd, type SystemdMachine } from "../../support/systemd-machine.ts";
import { waitUntil } from "../../support/wait.ts";

let folder: string;
let machine: SystemdMachine;

const UNREACHABLE = 3;
const PORT = 54_323;

const START_OWN = "NS_SERVER_DIR=~/own NS_MOCK_GPUS=1 setsid /opt/dist/nexus-server </dev/null >~/log 2>&1 &";

const run = (user: string, line: string): Promise<Finished> => machine.run(user, line);

const read = async (user: string, line: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await run(user, line);
  if (exitCode !== 0) throw new Error(`${user}: ${line}: ${exitCode}: ${stdout}${stderr}`);
  return stdout.trim();
};

const readJob = async (id: string): Promise<WireJob> => JSON.parse(await read("root", `nx get ${id} --json`));

const submit = async (user: string, command: string, ...flags: readonly string[]): Promise<WireJob> =>
  JSON.parse(await read(user, `cd / && nx run -d -c --no-git --json ${flags.join(" ")} ${command}`));

const TELL_PORT =
  "NS_SERVER_DIR=~/own /opt/dist/nexus-server status | sed -n 's/.*127.0.0.1:\\([0-9]*\\).*/\\1/p' >port && test -s port && chmod 711 ~";
const POST = `-H content-type:application/json -d '{"command":"true","num_gpus":0,"user":"'$(id -un)'"}'`;

beforeAll(async () => {
  if (!canBootSystemd) return;
  folder = mkdtempSync(join(tmpdir(), "nexus-systemd-"));
  const dist = join(folder, "dist");
  execFileSync(process.execPath, ["scripts/build.ts", "--host", "--output", dist], { cwd: ROOT, stdio: "pipe" });
  machine = await bootMachine(folder, dist);
  for (const name of ["ann", "bob"]) await read("root", `useradd --create-home ${name} && chmod 700 /home/${name}`);
  await read("root", "useradd --system --create-home www && cp /opt/dist/nx /usr/local/bin/nx");
  await read("root", "/opt/dist/nexus-server install --non-interactive");
  await read("ann", START_OWN);
  await waitUntil(async () => (await run("ann", TELL_PORT)).exitCode === 0, "ann's own server answers");
});

afterAll(async () => {
  await machine?.powerOff();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!canBootSystemd)("the server that systemd runs", () => {
  test("runs, and at each start of the machine", async () => {
    expect(await read("root", "systemctl is-active nexus-server; systemctl is-enabled nexus-server")).toBe(
      "active\nenabled",
    );
  });

  test.each(["root", "ann", "bob"])("is that of nx for %s, who is known by name", async (user) => {
    const { id } = await submit(user, "id -un");
    expect(await read(user, `nx wait ${id} >/dev/null; nx logs ${id}`)).toContain("nexus");
    expect(await readJob(id)).toMatchObject({ user, status: "completed" });
  });

  const WAYS = {
    "the socket": "--unix-socket /run/nexus-server/nexus.sock http://localhost",
    loopback: `https://127.0.0.1:${PORT}`,
    "loopback of version 6": `https://[::1]:${PORT}`,
    "the machine's own server, by plain HTTP": `http://127.0.0.1:${PORT}`,
    "ann's own server": "http://127.0.0.1:$(cat /home/ann/port)",
    "ann's own socket": "--unix-socket /home/ann/own/nexus.sock http://localhost",
  } as const;

  const NO_WAY = "000";
  const TABLE: readonly (readonly [way: keyof typeof WAYS, root: string, ann: string, bob: string, www: string])[] = [
    ["the socket", "201 root", "201 ann", "201 bob", "201 www"],
    ["loopback", "201 root", "201 ann", "201 bob", "401"],
    ["loopback of version 6", "201 root", "201 ann", "201 bob", "401"],
    ["the machine's own server, by plain HTTP", NO_WAY, NO_WAY, NO_WAY, NO_WAY],
    ["ann's own server", "201 root", "201 ann", "401", "401"],
    ["ann's own socket", "201 root", "201 ann", NO_WAY, NO_WAY],
  ];

  const reach = async (user: string, way: string): Promise<string> => {
    const { stdout } = await run(user, `curl -sk -m 10 -w '\\n%{http_code}' ${way}/v1/jobs ${POST}`);
    const [status = "", body = ""] = stdout.split("\n").reverse();
    return status === "201" ? `201 ${(JSON.parse(body) as WireJob).user}` : status;
  };

  test.each(TABLE)("and one of ann's own beside it: who reaches what by %s", async (way, root, ann, bob, www) => {
    const asked = ["root", "ann", "bob", "www"].map((user) => reach(user, WAYS[way]));
    expect(await Promise.all(asked)).toEqual([root, ann, bob, www]);
  });

  test("is not the one of one's own, which nx reaches where its folder is named", async () => {
    const own = JSON.parse(await read("ann", "NS_SERVER_DIR=~/own nx run -d -c --no-git --json id -un")) as WireJob;
    expect(await read("ann", `export NS_SERVER_DIR=~/own; nx wait ${own.id} >/dev/null; nx logs ${own.id}`)).toContain(
      "ann",
    );
    expect((await run("ann", `nx get ${own.id}`)).stderr).toContain(`${own.id}`);
    const refused = await run("bob", "NS_SERVER_DIR=/home/ann/own nx queue");
    expect([refused.exitCode, refused.stdout]).toEqual([UNREACHABLE, ""]);
  });

  test("is not the one that status and stop speak of where another folder is named", async () => {
    const own = "NS_SERVER_DIR=~/own nexus-server";
    await read("root", START_OWN);
    for (const user of ["ann", "root"]) {
      await waitUntil(async () => (await run(user, TELL_PORT)).exitCode === 0, `${user}'s own server answers`);
      expect(await read(user, `${own} status`)).toMatch(/^server \d+ runs on \/\w+(\/ann)?\/own\nit listens on http:/);
      expect(await read(user, `${own} stop; ${own} status || echo $?`)).toMatch(/^no server runs on .*\/own\n3$/);
    }
    expect(await read("root", "systemctl is-active nexus-server")).toBe("active");
  });

  test("keeps its jobs, and those that wait for them, across a restart", async () => {
    const { id } = await submit("ann", "bash -c 'until [ -e /var/lib/nexus-server/go ]; do sleep 0.1; done'");
    await waitUntil(async () => (await readJob(id)).status === "running", "it runs");
    const waiting = run("ann", `nx wait ${id}`);
    const following = run("bob", `nx logs -F ${id}`);
    await read("root", "systemctl restart nexus-server && nx queue && touch /var/lib/nexus-server/go");
    expect([(await waiting).exitCode, (await following).exitCode]).toEqual([0, 0]);
    expect(await readJob(id)).toMatchObject({ status: "completed", exit_code: 0 });
  });

  test("is waited for while systemd starts it again after a crash", async () => {
    await read("root", "kill -KILL $(systemctl show --property MainPID --value nexus-server)");
    const { id } = await submit("bob", "true");
    expect(await readJob(id)).toMatchObject({ user: "bob" });
    expect(await read("bob", "ls -A")).not.toContain(".local");
  });

  test("is told as stopped, with what starts it, and nothing is started in its stead", async () => {
    await read("root", "systemctl stop nexus-server");
    for (const line of ["nx queue", "cd / && nx run -c --no-git true"]) {
      const asked = await run("bob", line);
      expect([asked.exitCode, asked.stdout]).toEqual([UNREACHABLE, ""]);
      expect(asked.stderr).toContain("is stopped; start it with: sudo nexus-server start");
    }
    expect(await read("bob", "ls -A")).not.toContain(".local");
    await read("root", "nexus-server start");
    expect(await read("bob", "nx queue -s >/dev/null; echo back")).toBe("back");
  });

  test("is told as failed when it can't start", async () => {
    const file = "/etc/nexus_server/config.toml";
    await read("root", `cp ${file} /root/kept && echo 'port = "many"' >>${file} && nexus-server restart`);
    const asked = await run("bob", "nx queue");
    expect([asked.exitCode, asked.stdout]).toEqual([UNREACHABLE, ""]);
    expect(asked.stderr).toMatch(
      /^The server of this machine is restarting.*\nnx: the server of this machine has failed/,
    );
    await read("root", `cp /root/kept ${file} && systemctl reset-failed nexus-server && nexus-server start`);
    expect((await run("bob", "nx queue")).exitCode).toBe(0);
  }, 90_000);
});
