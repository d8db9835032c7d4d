import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerStatus } from "../../../src/wire/node.ts";
import { checkAbility } from "../../support/ability.ts";
import { canMountAlone, type OwnMounts, openOwnMounts } from "../../support/own-mounts.ts";
import { readFigure } from "../../support/parse-exposition.ts";
import { type Finished, NX, runProgram, stopChild } from "../../support/programs.ts";
import { openTmux } from "../../support/tmux-terminal.ts";
import { canMakeUsers, makeUser, removeUser, type UnixUser } from "../../support/unix-users.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const SETTINGS = { NS_REFRESH_RATE: "0.3" };
const canTroubleMachine = checkAbility(canMakeUsers && canMountAlone, "users and mounts of its own");

let folder: string;
let user: UnixUser;
let mounts: OwnMounts;
let world: World;
let server: ChildProcess;

beforeEach(async () => {
  if (!canTroubleMachine) return;
  folder = mkdtempSync(join(tmpdir(), "nexus-trouble-"));
  user = makeUser(folder, "trouble");
  mounts = await openOwnMounts();
  world = await createWorld(user.uid, mounts.enter);
  server = await world.startServer(SETTINGS);
});

afterEach(async () => {
  if (!canTroubleMachine) return;
  try {
    await world.dispose();
  } finally {
    await mounts.dispose();
    removeUser(user);
    rmSync(folder, { recursive: true, force: true });
  }
});

const readStatus = async (): Promise<ServerStatus> =>
  (await (await fetch(`${world.url}/v1/server/status`)).json()) as ServerStatus;

const nx = (...words: readonly string[]): Promise<Finished> =>
  runProgram(user.as([NX, ...words]), { env: world.env, cwd: world.home });

const countThreads = (): number => {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const owned = spawnSync("stat", ["-c", "%u %n", ...pids.map((pid) => `/proc/${pid}`)], { encoding: "utf8" }).stdout;
  const own = owned.split("\n").flatMap((line) => (line.startsWith(`${user.uid} `) ? [line.split(" ")[1] ?? ""] : []));
  return own.reduce((sum, path) => sum + (existsSync(path) ? readdirSync(`${path}/task`).length : 0), 0);
};

type Trouble = Readonly<{ name: string; reason: RegExp; make: () => void; mend: () => void }>;

const hide = (name: string): Trouble => {
  const path = Bun.which(name) ?? "";
  return {
    name: `no ${name}`,
    reason: new RegExp(`the program ${name} is not on the server's PATH: install it`),
    make: () => mounts.run("mount", "--bind", "/dev/null", path),
    mend: () => mounts.run("umount", "--lazy", path),
  };
};

const SCREEN = Bun.which("screen") ?? "";

const limitTo = (spare: number): Trouble => ({
  name: `room for ${spare} processes`,
  reason: /no more processes can be started|can start no more processes/,
  make: () => {
    const [real, limited] = [join(folder, "real-screen"), join(folder, "screen")];
    cpSync(SCREEN, real);
    const limit = countThreads() + spare;
    writeFileSync(limited, `#!/bin/bash\nulimit -S -u ${limit}\nexec ${real} "$@"\n`, { mode: 0o755 });
    mounts.run("mount", "--bind", limited, SCREEN);
  },
  mend: () => mounts.run("umount", "--lazy", SCREEN),
});

const TROUBLES: readonly Trouble[] = [
  ...["screen", "script", "setpriv"].map(hide),
  {
    name: "no terminal",
    reason: /no terminal can be opened \(.+\): mount devpts/,
    make: () => mounts.run("mount", "-t", "tmpfs", "tmpfs", "/dev/pts"),
    mend: () => mounts.run("umount", "--lazy", "/dev/pts"),
  },
  ...[0, 1].map(limitTo),
];

describe.skipIf(!canTroubleMachine)("a machine that can start no job", () => {
  test.each(TROUBLES.map((trouble) => [trouble.name, trouble] as const))(
    "with %s has all jobs wait, says why and what to do, and starts them by itself once that is mended",
    async (_name, { reason, make, mend }) => {
      make();
      const ids = ["a", "b", "c"];
      for (const job_id of ids) await world.submit({ job_id, command: "echo ran", num_gpus: 0 });
      await waitUntil(async () => reason.test((await readStatus()).machine_error ?? ""), "the status says why");
      for (const id of ids) expect(await world.waitFor(id, ["queued"])).toMatchObject({ started_at: null });
      expect((await nx("why", "b")).stdout).toMatch(reason);
      for (const words of [[], ["queue"], ["health"]]) expect((await nx(...words)).stderr).toMatch(reason);
      expect((await nx("queue", "--json")).stdout).toMatch(reason);
      const metrics = await (await fetch(`${world.url}/metrics`)).text();
      expect(readFigure(metrics, "nexus_launch_trouble")).toBe(1);
      mend();
      for (const id of ids) expect(await world.waitFor(id)).toMatchObject({ status: "completed", error_message: null });
      expect(await readStatus()).not.toHaveProperty("machine_error");
      for (const id of ids) expect(existsSync(join(world.folder, "server/jobs", id, "attempts"))).toBe(false);
      expect(readdirSync(join(world.folder, "server")).filter((name) => name.startsWith("trial-"))).toEqual([]);
    },
    60_000,
  );
});

describe.skipIf(!canTroubleMachine)("a machine that is short of processes", () => {
  test.each([2, 3, 4, 6, 9, 12])(
    "with room for %d fails no job: each waits, or runs once",
    async (spare) => {
      const { make, mend } = limitTo(spare);
      make();
      const ids = ["a", "b", "c"];
      for (const job_id of ids)
        await world.submit({ job_id, command: "echo ran >> $NEXUS_OUTPUT_DIR/ran", num_gpus: 0 });
      await waitUntil(async () => (await world.job("a")).started_at !== null, "the first is tried");
      mend();
      for (const id of ids) {
        expect(await world.waitFor(id)).toMatchObject({ status: "completed", error_message: null });
        expect(readFileSync(join(world.folder, "server/jobs", id, "outputs/ran"), "utf8")).toBe("ran\n");
      }
    },
    60_000,
  );
});

const SHUT = ["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs"] as const;

const FOLDER_FAULTS: readonly (readonly [string, () => void])[] = [
  ["missing", () => mounts.run(...SHUT, "/run")],
  ["of a wrong mode", () => mounts.run(...SHUT, "/run/screen")],
  ["of the user, with a wrong mode", () => mounts.run("chmod", "0755", `/run/screen/S-${user.name}`)],
  ["left by another user of the same name", () => mounts.run("chown", "root", `/run/screen/S-${user.name}`)],
];

describe.skipIf(!canTroubleMachine)("a folder of screen that can't be used", () => {
  test.each(FOLDER_FAULTS)(
    "as it is %s: jobs run in one of the server's own, seen, adopted and killed there",
    async (_name, make) => {
      const early = await world.submit({ command: "while read -r line; do echo early $line; done", num_gpus: 0 });
      await waitUntil(async () => (await world.job(early.id)).pid !== null, "the first runs");
      await stopChild(server, "SIGKILL");
      make();
      server = await world.startServer(SETTINGS);
      const late = await world.submit({
        command: 'echo "[$SCREENDIR]"; while read -r line; do echo late $line; done',
        num_gpus: 0,
      });
      await waitUntil(async () => (await world.job(late.id)).pid !== null, "the second runs");
      const sockets = readdirSync(join(world.folder, "server/screen"));
      expect(sockets).toEqual([expect.stringContaining(`nexus_job_${late.id}`)]);
      const terminal = await openTmux({ env: { ...world.env, TERM: "xterm-256color" }, cwd: world.home });
      try {
        terminal.type(user.as([NX, "attach", late.id]).join(" "));
        terminal.press("Enter");
        await terminal.waitFor("[]");
        terminal.type("words");
        terminal.press("Enter");
        await terminal.waitFor("late words");
      } finally {
        terminal.close();
      }
      await stopChild(server, "SIGKILL");
      server = await world.startServer(SETTINGS);
      expect((await world.job(late.id)).status).toBe("running");
      for (const { id } of [early, late]) {
        await world.post(`/v1/jobs/${id}/kill`, {});
        expect(await world.waitFor(id)).toMatchObject({ status: "killed" });
      }
      await waitUntil(() => readdirSync(join(world.folder, "server/screen")).length === 0, "its socket is gone");
    },
    60_000,
  );
});
