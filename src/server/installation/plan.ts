import { err, ok, type Result } from "../../shared/result.ts";
import type { Machine } from "../core/machine.ts";
import { renderConfiguration, renderUnit } from "./render.ts";

export const SERVICE = "nexus-server";
export const USER = "nexus";
export const PATHS = {
  program: "/usr/local/bin/nexus-server",
  unit: `/etc/systemd/system/${SERVICE}.service`,
  configDir: "/etc/nexus_server",
  config: "/etc/nexus_server/config.toml",
  key: "/etc/nexus_server/tls.key",
  certificate: "/etc/nexus_server/tls.crt",
  serverDir: "/var/lib/nexus-server",
} as const;

export type InstallOptions = Readonly<{ config: string | null; force: boolean; start: boolean }>;
export type UninstallOptions = Readonly<{ keepConfig: boolean; deleteData: boolean; force: boolean }>;

export type Owner = "root" | typeof USER;

/** What is asked of the server once it runs. */
export type ServerAct = "wait" | "new token" | "check job";

export type Step =
  | Readonly<{ kind: "run"; argv: readonly [string, ...string[]] }>
  | Readonly<{ kind: "copy"; from: string; to: string; mode: number }>
  | Readonly<{ kind: "folder"; path: string; mode: number; owner: Owner }>
  | Readonly<{ kind: "write"; path: string; mode: number; owner: Owner; text: string }>
  | Readonly<{ kind: "certificate"; key: string; certificate: string; names: readonly string[] }>
  | Readonly<{ kind: "remove"; path: string }>
  | Readonly<{ kind: "server"; act: ServerAct }>
  | Readonly<{ kind: "hint"; text: string }>;

export type PlanError = Readonly<{ message: string }>;

const PORT = 54_323;
const GPU_GROUPS = ["video", "render"];

const REACHED_BY_KEYS = ["--shell", "/bin/sh", "--password", "*"];

const run = (...argv: readonly [string, ...string[]]): Step => ({ kind: "run", argv });

const refuse = ({ isRoot, hasSystemd, program, missingPrograms }: Machine): string | null => {
  if (!isRoot) return "this needs root: run it with sudo";
  if (!hasSystemd) return "this machine is not run by systemd: start nexus-server by other means";
  if (program === null)
    return "install needs the single-file program: npm run build, then sudo dist/nexus-server install";
  if (missingPrograms.length > 0)
    return `these programs are missing: apt-get install ${missingPrograms.join(" ")}, then try again`;
  return null;
};

const has = ({ existingPaths }: Machine, path: string): boolean => existingPaths.includes(path);

const planUser = (machine: Machine): readonly Step[] => {
  const groups = GPU_GROUPS.filter((group) => machine.groups.includes(group));
  const create = run(
    ...(["useradd", "--system", "--user-group", "--no-create-home"] as const),
    ...["--home-dir", PATHS.serverDir, USER],
  );
  const joining = groups.length === 0 ? [] : ["--append", "--groups", groups.join(",")];
  return [...(machine.hasUser ? [] : [create]), run("usermod", ...REACHED_BY_KEYS, ...joining, USER)];
};

const planFiles = (machine: Machine, { config, force }: InstallOptions): readonly Step[] => {
  const keepsConfig = has(machine, PATHS.config) && config === null && !force;
  const text = config ?? renderConfiguration(PATHS, machine.names);
  const keepsCertificate = has(machine, PATHS.key) && has(machine, PATHS.certificate);
  const certificate = { key: PATHS.key, certificate: PATHS.certificate, names: machine.names };
  return [
    { kind: "folder", path: PATHS.serverDir, mode: 0o700, owner: USER },
    { kind: "folder", path: PATHS.configDir, mode: 0o755, owner: "root" },
    ...(keepsConfig ? [] : [{ kind: "write", path: PATHS.config, mode: 0o600, owner: USER, text } as const]),
    ...(keepsCertificate ? [] : [{ kind: "certificate", ...certificate } as const]),
    { kind: "write", path: PATHS.unit, mode: 0o644, owner: "root", text: renderUnit(PATHS, USER) },
  ];
};

const planStart = (machine: Machine, { start }: InstallOptions): readonly Step[] => {
  const isNew = !has(machine, `${PATHS.serverDir}/jobs.db`);
  if (!start) return [{ kind: "hint", text: `Start it with: systemctl start ${SERVICE}` }];
  return [
    run("systemctl", "restart", SERVICE),
    { kind: "server", act: "wait" },
    ...(isNew ? [{ kind: "server", act: "new token" } as const] : []),
    { kind: "server", act: "check job" },
  ];
};

const planHints = ({ hasFirewall }: Machine): readonly Step[] =>
  hasFirewall ? [{ kind: "hint", text: `Let clients through the firewall with: ufw allow ${PORT}/tcp` }] : [];

/** What `install` does, in order; doing it twice changes nothing but the program. */
export const planInstall = (machine: Machine, options: InstallOptions): Result<readonly Step[], PlanError> => {
  const refusal = refuse(machine);
  if (refusal !== null || machine.program === null) return err({ message: refusal ?? "no program" });
  const isInPlace = machine.program === PATHS.program;
  return ok([
    ...planUser(machine),
    ...(isInPlace ? [] : [{ kind: "copy", from: machine.program, to: PATHS.program, mode: 0o755 } as const]),
    ...planFiles(machine, options),
    run("systemctl", "daemon-reload"),
    run("systemctl", "enable", SERVICE),
    ...planStart(machine, options),
    ...planHints(machine),
  ]);
};

const refuseUninstall = (machine: Machine, runningJobs: number, { force }: UninstallOptions): string | null => {
  if (!machine.isRoot) return "this needs root: run it with sudo";
  if (!has(machine, PATHS.unit)) return `nothing is installed: there is no ${PATHS.unit}`;
  if (runningJobs === 0 || force) return null;
  return `${runningJobs} jobs are running: wait for them or kill them; with --force they go on, and nobody hears of their end`;
};

/** The state stays unless it is to be deleted. */
export const planUninstall = (
  machine: Machine,
  runningJobs: number,
  options: UninstallOptions,
): Result<readonly Step[], PlanError> => {
  const refusal = refuseUninstall(machine, runningJobs, options);
  if (refusal !== null) return err({ message: refusal });
  const { keepConfig, deleteData } = options;
  const paths = [
    ...[PATHS.unit, PATHS.program],
    ...(keepConfig ? [] : [PATHS.configDir]),
    ...(deleteData ? [PATHS.serverDir] : []),
  ];
  return ok([
    run("systemctl", "disable", "--now", SERVICE),
    ...paths.filter((path) => has(machine, path)).map((path): Step => ({ kind: "remove", path })),
    run("systemctl", "daemon-reload"),
    ...(deleteData && machine.hasUser ? [run("userdel", USER)] : []),
    ...(deleteData ? [] : [{ kind: "hint", text: `Its jobs and logs are still in ${PATHS.serverDir}` } as const]),
  ]);
};
