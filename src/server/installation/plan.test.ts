import { describe, expect, test } from "bun:test";
import type { Machine } from "../core/machine/installable-machine.ts";
import { describeStep } from "./apply.ts";
import { BUILT_PROGRAM } from "./obstacles.ts";
import {
  type InstallOptions,
  type InstallSettings,
  type InstallStep,
  PATHS,
  planInstall,
  planUninstall,
  planUpgrade,
} from "./plan.ts";

const OPTIONS: InstallOptions = { config: null, settings: null, news: [], force: false, start: true };

const SETTINGS: InstallSettings = {
  supplementaryGroups: [],
  sslKeyfile: PATHS.key,
  sslCertfile: PATHS.certificate,
  nodeName: "atlas",
  externalIp: null,
  allowedHosts: [],
  port: 54_323,
  apiToken: null,
};

const KEEP = { keepConfig: false, deleteData: false, force: false };

const createMachine = (overrides: Partial<Machine> = {}): Machine => ({
  isRoot: true,
  hasSystemd: true,
  program: "/home/ada/nexus-server",
  missingPrograms: [],
  hasUser: false,
  groups: ["root", "video", "render"],
  existingPaths: [],
  names: ["atlas", "10.0.0.7", "localhost", "127.0.0.1"],
  hasFirewall: false,
  ...overrides,
});

const plan = (machine: Partial<Machine> = {}, options: Partial<InstallOptions> = {}): readonly InstallStep[] => {
  const planned = planInstall(createMachine(machine), { ...OPTIONS, ...options });
  if (!planned.ok) throw new Error(planned.error.message);
  return planned.value;
};

const refusal = (machine: Partial<Machine>): string => {
  const planned = planInstall(createMachine(machine), OPTIONS);
  return planned.ok ? "" : planned.error.message;
};

const INSTALLED: Partial<Machine> = {
  hasUser: true,
  program: PATHS.program,
  existingPaths: [PATHS.config, PATHS.key, PATHS.certificate, PATHS.unit, PATHS.program, `${PATHS.serverDir}/jobs.db`],
};

test("an upgrade that awaits that nothing runs drains before all else, and lets jobs start again before it runs one", () => {
  const lines = plan(INSTALLED, { awaitsIdle: true }).map(describeStep);
  expect(lines.slice(0, 2)).toEqual(["let nothing start", "wait until no job runs"]);
  const [restart, answers, resumes, check] = [
    "run systemctl restart",
    "wait until the server",
    "let jobs start",
    "run a job",
  ].map((start) => lines.findIndex((line) => line.startsWith(start)));
  expect([answers, resumes, check]).toEqual([1, 2, 3].map((after) => (restart ?? 0) + after));
  expect(plan(INSTALLED).map(describeStep).join()).not.toContain("start again");
});

describe("the plan of an installation", () => {
  test("makes no token where the configuration names one", () => {
    const shown = (apiToken: string | null): boolean =>
      plan({}, { config: "", settings: { ...SETTINGS, apiToken } }).some(
        (step) => step.kind === "server" && step.act === "new token",
      );
    expect([shown(null), shown("own")]).toEqual([true, false]);
  });

  test("keeps the configuration of an earlier installation beside the one that takes its place", () => {
    const steps = plan(INSTALLED, { config: "port = 1\n", settings: SETTINGS, keepsConfig: true }).map(describeStep);
    const kept = steps.indexOf(`copy ${PATHS.config} to ${PATHS.config}.earlier`);
    expect(kept).toBeGreaterThan(-1);
    expect(steps.indexOf(`write ${PATHS.config} (0600, nexus)`)).toBe(kept + 1);
  });

  test("on a new machine has every step in order", () => {
    expect(plan().map(describeStep)).toEqual([
      "run useradd --system --user-group --no-create-home --home-dir /var/lib/nexus-server nexus",
      "run usermod --shell /bin/sh --password * --append --groups video,render nexus",
      "copy /home/ada/nexus-server to /usr/local/bin/nexus-server",
      "make /var/lib/nexus-server (0700, nexus)",
      "make /etc/nexus_server (0755, root)",
      "write /etc/nexus_server/config.toml (0600, nexus)",
      "make a TLS key and certificate for atlas, 10.0.0.7, localhost, 127.0.0.1 in /var/lib/nexus-server/tls.crt",
      "write /etc/systemd/system/nexus-server.service (0644, root)",
      "run systemctl daemon-reload",
      "run systemctl enable nexus-server",
      "run systemctl restart nexus-server",
      "wait until the server answers",
      "make an API token and show it once",
      "run a job and see that it ends well",
      "say how it is reached",
    ]);
  });

  test("writes a unit under which jobs outlive the service, and that shields what jobs do not need", () => {
    const unit = plan().find((step) => step.kind === "write" && step.path === PATHS.unit);
    const lines = unit?.kind === "write" ? unit.text.split("\n") : [];
    for (const line of ["KillMode=process", "OOMPolicy=continue", "Restart=on-failure", "User=nexus"])
      expect(lines).toContain(line);
    for (const line of ["ProtectSystem=full", "ProtectControlGroups=yes", "RestrictRealtime=yes"])
      expect(lines).toContain(line);
    expect(unit).toMatchObject({ text: expect.not.stringMatching(/PrivateTmp|PrivateDevices|NoNewPrivileges/) });
  });

  test("a second time keeps user, configuration, certificate and token", () => {
    expect(plan(INSTALLED).map(describeStep)).toEqual([
      "run usermod --shell /bin/sh --password * --append --groups video,render nexus",
      "make /var/lib/nexus-server (0700, nexus)",
      "make /etc/nexus_server (0755, root)",
      "write /etc/systemd/system/nexus-server.service (0644, root)",
      "run systemctl daemon-reload",
      "run systemctl enable nexus-server",
      "run systemctl restart nexus-server",
      "wait until the server answers",
      "run a job and see that it ends well",
      "say how it is reached",
    ]);
  });

  test("writes the configuration that is given, or a new one when forced", () => {
    const write = (options: Partial<InstallOptions>) =>
      plan(INSTALLED, options).find((step) => step.kind === "write" && step.path === PATHS.config);
    expect(write({ config: "port = 1\n" })).toMatchObject({ text: "port = 1\n" });
    expect(write({ force: true })).toMatchObject({ text: expect.stringContaining('host = "0.0.0.0"') });
  });

  test("does not start the server when asked not to, and names a firewall", () => {
    const settings = { ...SETTINGS, port: 8443 };
    const lines = plan({ hasFirewall: true }, { start: false, settings }).map(describeStep);
    expect(lines.slice(-2)).toEqual([
      "Start it with: systemctl start nexus-server",
      "Let clients through the firewall with: ufw allow 8443/tcp",
    ]);
  });

  test("joins the groups that the settings name, and is refused where one is not there", () => {
    const settings = { ...SETTINGS, supplementaryGroups: ["data", "video"] };
    expect(plan({ groups: ["video", "data"] }, { settings }).map(describeStep)).toContain(
      "run usermod --shell /bin/sh --password * --append --groups video,data nexus",
    );
    expect(planInstall(createMachine(), { ...OPTIONS, settings })).toEqual({
      ok: false,
      error: { message: 'supplementary_groups names "data", a group that this machine does not have' },
    });
  });

  const listCertificates = (settings: InstallSettings | null, machine: Partial<Machine> = {}): readonly InstallStep[] =>
    plan(machine, { settings }).filter(({ kind }) => kind === "certificate");

  test("makes a certificate for all names that clients use, and none where the settings name one's own", () => {
    const named = {
      ...SETTINGS,
      nodeName: "Hydra",
      externalIp: "192.0.2.7",
      allowedHosts: ["gpu.example.com", "atlas"],
    };
    expect(listCertificates(named)).toEqual([
      expect.objectContaining({
        names: ["hydra", "atlas", "10.0.0.7", "localhost", "127.0.0.1", "192.0.2.7", "gpu.example.com"],
      }),
    ]);
    expect(listCertificates({ ...SETTINGS, sslKeyfile: "/etc/own.key", sslCertfile: "/etc/own.crt" })).toEqual([]);
    expect(listCertificates({ ...SETTINGS, sslKeyfile: null, sslCertfile: null })).toEqual([]);
    expect(listCertificates(SETTINGS, INSTALLED)).toEqual([]);
  });

  test("is an upgrade only where there is something to upgrade", () => {
    const refused = planUpgrade(createMachine(), OPTIONS);
    expect(refused).toMatchObject({ ok: false, error: { message: expect.stringContaining("nothing is installed") } });
    const lines = planUpgrade(createMachine({ ...INSTALLED, program: "/home/ada/nexus-server" }), OPTIONS);
    expect(lines.ok && lines.value.map(describeStep)).toContain(
      "copy /home/ada/nexus-server to /usr/local/bin/nexus-server",
    );
  });

  test.each<[Partial<Machine>, string]>([
    [{ isRoot: false }, "this needs root: run it with sudo"],
    [{ hasSystemd: false }, "this machine is not run by systemd: start nexus-server by other means"],
    [{ program: null }, "install needs the single-file program: npm run build, then sudo dist/nexus-server install"],
    [{ missingPrograms: ["screen"] }, "these programs are missing: apt-get install screen, then try again"],
  ])("is refused on %j", (machine, message) => {
    expect(refusal(machine)).toBe(message);
    const previewed = plan(machine, { isPreview: true }).map(describeStep);
    expect(previewed.at(-1)).toBe(`Here this would be refused: ${message}`);
    expect(previewed.slice(0, -1)).toEqual(
      plan({ program: machine.program === null ? BUILT_PROGRAM : "/home/ada/nexus-server" }).map(describeStep),
    );
  });

  test("is not shown to somebody who can't see what is installed already", () => {
    const options = { ...OPTIONS, isPreview: true };
    expect(planInstall(createMachine({ ...INSTALLED, isRoot: false }), options)).toEqual({
      ok: false,
      error: { message: "this needs root: run it with sudo" },
    });
    expect(planUpgrade(createMachine({ isRoot: false }), options)).toMatchObject({
      error: { message: expect.stringContaining("nothing is installed") },
    });
  });
});

describe("the plan of an uninstallation", () => {
  const describePlan = (keepConfig: boolean, deleteData: boolean): readonly string[] => {
    const paths = [PATHS.unit, PATHS.program, PATHS.configDir, PATHS.serverDir, PATHS.sshKeys];
    const machine = createMachine({ hasUser: true, existingPaths: paths });
    const planned = planUninstall(machine, 0, { keepConfig, deleteData, force: false });
    return planned.ok ? planned.value.map(describeStep) : [planned.error.message];
  };

  test("keeps the state unless it is to be deleted", () => {
    expect(describePlan(false, false)).toEqual([
      "run systemctl disable --now nexus-server",
      "remove /etc/systemd/system/nexus-server.service",
      "remove /usr/local/bin/nexus-server",
      "remove /etc/nexus_server",
      "remove /var/lib/nexus-server/.ssh",
      "run systemctl daemon-reload",
      "Its jobs and logs are still in /var/lib/nexus-server",
    ]);
    expect(describePlan(true, true)).toEqual([
      "run systemctl disable --now nexus-server",
      "remove /etc/systemd/system/nexus-server.service",
      "remove /usr/local/bin/nexus-server",
      "remove /var/lib/nexus-server",
      "run systemctl daemon-reload",
      "run userdel nexus",
    ]);
  });

  test("is refused while jobs run, unless forced", () => {
    const machine = createMachine({ existingPaths: [PATHS.unit] });
    expect(planUninstall(machine, 2, KEEP)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("2 jobs are running") },
    });
    expect(planUninstall(machine, 2, { ...KEEP, force: true }).ok).toBe(true);
  });

  test("is refused where nothing is installed", () => {
    const planned = planUninstall(createMachine(), 0, KEEP);
    expect(planned).toMatchObject({ ok: false, error: { message: expect.stringContaining("nothing is installed") } });
  });
});
