import { constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { IS_SINGLE_FILE } from "../../../base/single-file.ts";
import { canAccess } from "../../../tools/can-access.ts";
import type { Machine } from "../../core/machine/installable-machine.ts";
import { listMachineNames } from "./machine-names.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  screen: "screen",
  git: "git",
  tar: "tar",
  script: "bsdutils",
  setpriv: "util-linux",
};

const isOnPath = (name: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => canAccess(join(folder, name), constants.X_OK));

const readNames = (path: string): readonly string[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .map((line) => line.split(":")[0] ?? "")
    : [];

const isFirewallOn = (path = "/etc/ufw/ufw.conf"): boolean =>
  existsSync(path) && /^ENABLED=yes$/m.test(readFileSync(path, "utf8"));

export const readMachine = (user: string, paths: readonly string[]): Machine => ({
  isRoot: process.getuid?.() === 0,
  hasSystemd: existsSync("/run/systemd/system"),
  program: IS_SINGLE_FILE ? process.execPath : null,
  missingPrograms: Object.keys(PACKAGES).flatMap((name) => (isOnPath(name) ? [] : [PACKAGES[name] ?? name])),
  hasUser: readNames("/etc/passwd").includes(user),
  groups: readNames("/etc/group"),
  existingPaths: paths.filter((path) => existsSync(path)),
  names: listMachineNames(),
  hasFirewall: isFirewallOn(),
});
