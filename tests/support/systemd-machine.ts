import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkAbility } from "./ability.ts";
import { type Finished, runProgram, stopChild } from "./programs.ts";
import { waitUntil } from "./wait.ts";

/** `run` lets `user` of the machine run a line of shell at home, as a login without PAM would. */
export type SystemdMachine = Readonly<{
  run: (user: string, line: string) => Promise<Finished>;
  powerOff: () => Promise<void>;
}>;

const BOOT = `
set -eu
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
[ ! -d /run/systemd ] || mount -t tmpfs none /run/systemd
rm -f "$1/root/etc/systemd/system/nexus-server.service"
exec systemd-nspawn --quiet --directory="$1/root" --machine="$2" --bind-ro="$3:/opt/dist" --boot --register=no --keep-unit \
  --private-network --console=pipe systemd.unit=basic.target
`;

const TRY_OVERLAY = `
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
`;

const canMakeOverlay = (): boolean => spawnSync("unshare", ["--mount", "sh", "-c", TRY_OVERLAY]).status === 0;

const PROGRAMS = ["systemd-nspawn", "dbus-daemon", "nsenter", "curl"];

export const canBootSystemd: boolean = checkAbility(
  process.getuid?.() === 0 && PROGRAMS.every((program) => Bun.which(program) !== null) && canMakeOverlay(),
  "root, overlay mounts, systemd-nspawn and dbus, to boot a machine with systemd",
);

const listChildren = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const enter = (init: number, argv: readonly string[]): readonly string[] => [
  ...["nsenter", "--target", String(init), "--mount", "--uts", "--ipc", "--pid", "--net", "--cgroup", "--"],
  ...argv,
];

const isUp = (init: number): boolean => {
  const [program = "", ...words] = enter(init, ["systemctl", "is-system-running"]);
  return /^(running|degraded)/.test(spawnSync(program, words, { encoding: "utf8" }).stdout);
};

const waitForInit = async (machine: ChildProcess): Promise<number> => {
  const output = { text: "" };
  for (const stream of [machine.stdout, machine.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output.text += text;
    });
  const found = { init: 0 };
  await waitUntil(() => {
    if (machine.exitCode !== null) throw new Error(output.text);
    const [nspawn = 0] = listChildren(machine.pid ?? 0);
    found.init = listChildren(nspawn)[0] ?? 0;
    return found.init !== 0 && isUp(found.init);
  }, "systemd has booted");
  return found.init;
};

const ALONE = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

const CLEAN = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", TERM: "dumb" };

/** A copy of this machine, written to memory only, with a systemd, users and a loopback of its own, and `dist` at `/opt/dist`. */
export const bootMachine = async (folder: string, dist: string): Promise<SystemdMachine> => {
  const base = join(folder, "machine");
  mkdirSync(base);
  const words = [...ALONE, "sh", "-c", BOOT, "sh", base, `nexus-${process.pid}`, dist];
  const machine = spawn("unshare", words, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const init = await waitForInit(machine);
  const run: SystemdMachine["run"] = (user, line) => {
    const become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--reset-env"];
    return runProgram(enter(init, [...become, "bash", "-c", `cd; ${line}`]), { env: CLEAN, cwd: "/" });
  };
  return { run, powerOff: () => stopChild(machine, "SIGKILL") };
};
