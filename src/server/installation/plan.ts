import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { SERVICE_UNIT } from "../../wire/local-socket.ts";
import { SERVER_PORT } from "../../wire/server-port.ts";
import { listCertificateNames } from "../core/machine/certificate.ts";
import type { Machine } from "../core/machine/installable-machine.ts";
import type { Settings } from "../core/settings/settings.ts";
import { BUILT_PROGRAM, listObstacles } from "./obstacles.ts";
import { renderConfiguration, renderUnit } from "./render.ts";
import type { TidyStep } from "./tidy.ts";

export const SERVICE = "nexus-server";
export const USER = "nexus";
export const PATHS = {
  program: "/usr/local/bin/nexus-server",
  unit: SERVICE_UNIT,
  configDir: "/etc/nexus_server",
  config: "/etc/nexus_server/config.toml",
  serverDir: "/var/lib/nexus-server",
  key: "/var/lib/nexus-server/tls.key",
  certificate: "/var/lib/nexus-server/tls.crt",
  sshKeys: "/var/lib/nexus-server/.ssh",
} as const;

/** What the installation does for the settings of a configuration. */
export type InstallSettings = Pick<
  Settings,
  | "supplementaryGroups"
  | "sslKeyfile"
  | "sslCertfile"
  | "nodeName"
  | "externalIp"
  | "allowedHosts"
  | "port"
  | "apiToken"
>;

/**
 * `config` is a text to put in place of the configuration; `settings` are those that will hold, null for those of a new one;
 * `news` is what is to be told of them; `keepsConfig`: the one that is replaced is kept beside it. `awaitsIdle`: only once no job runs. `isPreview`: nothing will be
 * done, so what stands in the way is told at the end of the plan.
 */
export type InstallOptions = Readonly<{
  config: string | null;
  settings: InstallSettings | null;
  news: readonly string[];
  keepsConfig?: boolean;
  force: boolean;
  start: boolean;
  awaitsIdle?: boolean;
  isPreview?: boolean;
}>;
export type UninstallOptions = Readonly<{ keepConfig: boolean; deleteData: boolean; force: boolean }>;

export type Owner = "root" | typeof USER;

/** What is asked of the server once it runs. */
export type ServerAct = "drain" | "await idle" | "resume" | "wait" | "new token" | "check job" | "show result";

export type InstallStep =
  | Readonly<{ kind: "run"; argv: readonly [string, ...string[]] }>
  | Readonly<{ kind: "copy"; from: string; to: string; mode: number }>
  | Readonly<{ kind: "folder"; path: string; mode: number; owner: Owner }>
  | Readonly<{ kind: "write"; path: string; mode: number; owner: Owner; text: string }>
  | Readonly<{ kind: "certificate"; key: string; certificate: string; names: readonly string[] }>
  | TidyStep
  | Readonly<{ kind: "server"; act: ServerAct }>
  | Readonly<{ kind: "hint"; text: string }>;

const GPU_GROUPS = ["video", "render"];

const REACHED_BY_KEYS = ["--shell", "/bin/sh", "--password", "*"];

const run = (...argv: readonly [string, ...string[]]): InstallStep => ({ kind: "run", argv });

const has = ({ existingPaths }: Machine, path: string): boolean => existingPaths.includes(path);

const planUser = (machine: Machine, settings: InstallSettings | null): readonly InstallStep[] => {
  const wanted = [...GPU_GROUPS.filter((group) => machine.groups.includes(group))];
  const groups = [...new Set([...wanted, ...(settings?.supplementaryGroups ?? [])])];
  const create = run(
    ...(["useradd", "--system", "--user-group", "--no-create-home"] as const),
    ...["--home-dir", PATHS.serverDir, USER],
  );
  const joining = groups.length === 0 ? [] : ["--append", "--groups", groups.join(",")];
  return [...(machine.hasUser ? [] : [create]), run("usermod", ...REACHED_BY_KEYS, ...joining, USER)];
};

const listNames = ({ names }: Machine, settings: InstallSettings | null): readonly string[] => {
  if (settings === null) return listCertificateNames(names);
  const { nodeName, externalIp, allowedHosts } = settings;
  return listCertificateNames([nodeName, ...names, ...(externalIp === null ? [] : [externalIp]), ...allowedHosts]);
};

const planCertificate = (machine: Machine, settings: InstallSettings | null): readonly InstallStep[] => {
  const isNamed =
    settings === null || (settings.sslKeyfile === PATHS.key && settings.sslCertfile === PATHS.certificate);
  const isThere = has(machine, PATHS.key) && has(machine, PATHS.certificate);
  const { key, certificate } = PATHS;
  return isNamed && !isThere ? [{ kind: "certificate", key, certificate, names: listNames(machine, settings) }] : [];
};

const KEEP_CONFIG: InstallStep = { kind: "copy", from: PATHS.config, to: `${PATHS.config}.earlier`, mode: 0o600 };

const planFiles = (machine: Machine, options: InstallOptions): readonly InstallStep[] => {
  const { config, force, settings } = options;
  const isKept = has(machine, PATHS.config) && config === null && !force;
  const text = config ?? renderConfiguration(PATHS, listCertificateNames(machine.names));
  return [
    { kind: "folder", path: PATHS.serverDir, mode: 0o700, owner: USER },
    { kind: "folder", path: PATHS.configDir, mode: 0o755, owner: "root" },
    ...(options.keepsConfig ? [KEEP_CONFIG] : []),
    ...(isKept ? [] : [{ kind: "write", path: PATHS.config, mode: 0o600, owner: USER, text } as const]),
    ...planCertificate(machine, settings),
    { kind: "write", path: PATHS.unit, mode: 0o644, owner: "root", text: renderUnit(PATHS, USER) },
  ];
};

const ask = (act: ServerAct): InstallStep => ({ kind: "server", act });

const planStart = (machine: Machine, { start, settings, awaitsIdle }: InstallOptions): readonly InstallStep[] => {
  const needsToken = !has(machine, `${PATHS.serverDir}/jobs.db`) && (settings?.apiToken ?? null) === null;
  if (!start) return [{ kind: "hint", text: `Start it with: systemctl start ${SERVICE}` }];
  return [
    run("systemctl", "restart", SERVICE),
    ask("wait"),
    ...(awaitsIdle ? [ask("resume")] : []),
    ...(needsToken ? [ask("new token")] : []),
    ask("check job"),
    ask("show result"),
  ];
};

const planHints = ({ hasFirewall }: Machine, settings: InstallSettings | null): readonly InstallStep[] => {
  const port = settings?.port ?? SERVER_PORT;
  return hasFirewall ? [{ kind: "hint", text: `Let clients through the firewall with: ufw allow ${port}/tcp` }] : [];
};

const tell = (text: string): InstallStep => ({ kind: "hint", text });

const planAll = (machine: Machine, options: InstallOptions): readonly InstallStep[] => {
  const { settings } = options;
  const program = machine.program ?? BUILT_PROGRAM;
  return [
    ...(options.awaitsIdle ? [ask("drain"), ask("await idle")] : []),
    ...planUser(machine, settings),
    ...(program === PATHS.program ? [] : [{ kind: "copy", from: program, to: PATHS.program, mode: 0o755 } as const]),
    ...planFiles(machine, options),
    run("systemctl", "daemon-reload"),
    run("systemctl", "enable", SERVICE),
    ...planStart(machine, options),
    ...options.news.map(tell),
    ...planHints(machine, settings),
  ];
};

const isBlind = ({ isRoot, existingPaths }: Machine): boolean =>
  !isRoot && existingPaths.some((path) => path !== PATHS.program);

/** What `install` does, in order; doing it twice changes nothing but the program. A preview without root sees no earlier installation, so it is refused where there is one. */
export const planInstall = (machine: Machine, options: InstallOptions): Result<readonly InstallStep[], Problem> => {
  const obstacles = listObstacles(machine, options.settings);
  const [first] = obstacles;
  if (first !== undefined && (options.isPreview !== true || isBlind(machine))) return err({ message: first });
  return ok([...planAll(machine, options), ...obstacles.map((text) => tell(`Here this would be refused: ${text}`))]);
};

/** The same for what is installed already; its settings, certificate and token stay. */
export const planUpgrade = (machine: Machine, options: InstallOptions): Result<readonly InstallStep[], Problem> =>
  (machine.isRoot || options.isPreview === true) && !has(machine, PATHS.unit)
    ? err({ message: `nothing is installed: there is no ${PATHS.unit}; see nexus-server install` })
    : planInstall(machine, options);

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
): Result<readonly InstallStep[], Problem> => {
  const refusal = refuseUninstall(machine, runningJobs, options);
  if (refusal !== null) return err({ message: refusal });
  const { keepConfig, deleteData } = options;
  const paths = [
    ...[PATHS.unit, PATHS.program],
    ...(keepConfig ? [] : [PATHS.configDir, PATHS.sshKeys]),
    ...(deleteData ? [PATHS.serverDir] : []),
  ];
  return ok([
    run("systemctl", "disable", "--now", SERVICE),
    ...paths.filter((path) => has(machine, path)).map((path): InstallStep => ({ kind: "remove", path })),
    run("systemctl", "daemon-reload"),
    ...(deleteData && machine.hasUser ? [run("userdel", USER)] : []),
    ...(deleteData ? [] : [{ kind: "hint", text: `Its jobs and logs are still in ${PATHS.serverDir}` } as const]),
  ]);
};
