import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NX } from "./programs.ts";

/** What `systemctl show` says of the unit. */
export type UnitState = "active" | "activating" | "deactivating" | "inactive" | "failed" | "restarting" | "long active";

/** A machine with an installed server, as `nx` sees it: `enter` runs a program on it, `path` is where the socket shows up there. */
export type InstalledMachine = Readonly<{
  path: string;
  setState: (state: UnitState) => void;
  enter: (argv: readonly string[]) => readonly string[];
  nx: (words: readonly string[]) => readonly string[];
}>;

const ENTER = [
  "mount -t tmpfs tmpfs /etc/systemd/system && touch /etc/systemd/system/nexus-server.service",
  'mount -t tmpfs tmpfs /run && mkdir /run/nexus-server && mount --bind "$0" /run/nexus-server',
  'exec "$@"',
].join(" && ");

const LONG_AGO = 1;
const JOB = 4711;

const SYSTEMCTL = `#!/bin/sh
[ "$1 $3" = "show nexus-server.service" ] || exit 1
read now rest </proc/uptime
sed "s/^ActiveEnterTimestampMonotonic=now/ActiveEnterTimestampMonotonic=\${now%.*}000000/" "$(dirname "$0")/state"
`;

const describeState = (state: UnitState): string => {
  const isActive = state === "active" || state === "long active";
  const lines = [
    `ActiveState=${isActive ? "active" : state === "restarting" ? "inactive" : state}`,
    ...(state === "restarting" ? [`Job=${JOB}`] : []),
    `ActiveEnterTimestampMonotonic=${state === "long active" ? LONG_AGO : isActive ? "now" : 0}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
};

/** In namespaces of its own, so that the tests' machine has none. Needs the right to mount. */
export const createInstalledMachine = (folder: string): InstalledMachine => {
  const [run, bin] = [join(folder, "run"), join(folder, "bin")];
  mkdirSync(run);
  mkdirSync(bin);
  writeFileSync(join(bin, "systemctl"), SYSTEMCTL);
  chmodSync(join(bin, "systemctl"), 0o755);
  const setState = (state: UnitState): void => writeFileSync(join(bin, "state"), describeState(state));
  setState("active");
  const enter = (argv: readonly string[]): readonly string[] => [
    ...["env", `PATH=${bin}:${process.env["PATH"]}`, "unshare", "--mount", "sh", "-c", ENTER, run],
    ...argv,
  ];
  return { path: join(run, "nexus.sock"), setState, enter, nx: (words) => enter([NX, ...words]) };
};
