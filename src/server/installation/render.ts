import { basename, dirname } from "node:path";
import { LOCAL_SOCKET } from "../../wire/local-socket.ts";

type Paths = Readonly<{ program: string; serverDir: string; key: string; certificate: string }>;

const quote = (text: string): string => JSON.stringify(text);

/** Listens on all addresses with TLS, and on a socket for the users of the machine, who are each known by name there and on loopback. `names` are those that clients may use. */
export const renderConfiguration = (paths: Paths, names: readonly string[]): string =>
  [
    `server_dir = ${quote(paths.serverDir)}`,
    `host = "0.0.0.0"`,
    `socket = ${quote(LOCAL_SOCKET)}`,
    `trust_loopback = "owner"`,
    `ssl_keyfile = ${quote(paths.key)}`,
    `ssl_certfile = ${quote(paths.certificate)}`,
    `allowed_hosts = [${names.map(quote).join(", ")}]`,
    "",
  ].join("\n");

const MAKE_GPU_DEVICES = "+-/bin/sh -c 'command -v nvidia-modprobe && nvidia-modprobe -u -c=0'";

const HARDENING = [
  "LockPersonality=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectSystem=full",
  "RestrictRealtime=yes",
  "SystemCallArchitectures=native",
];

const UNIT = [
  "[Unit]",
  "Description=Nexus GPU job server",
  "Wants=network-online.target",
  "After=network-online.target",
  "StartLimitIntervalSec=60",
  "StartLimitBurst=8",
];
const INSTALL = ["[Install]", "WantedBy=multi-user.target"];
const LASTING = ["KillMode=process", "OOMPolicy=continue", "Restart=on-failure", "RestartSec=2"];
const LIMITS = ["LimitNOFILE=65536", "TasksMax=infinity"];

const describeProgram = ({ program, serverDir }: Paths, user: string): readonly string[] => [
  `ExecStartPre=${MAKE_GPU_DEVICES}`,
  `ExecStart=${program}`,
  `User=${user}`,
  `Group=${user}`,
  `WorkingDirectory=${serverDir}`,
  `Environment=NS_SERVER_DIR=${serverDir}`,
  `RuntimeDirectory=${basename(dirname(LOCAL_SOCKET))}`,
  "RuntimeDirectoryMode=0755",
];

/** Jobs outlive the service and its upgrades: only the server itself is stopped, and no job's end takes it along. */
export const renderUnit = (paths: Paths, user: string): string => {
  const service = ["[Service]", ...describeProgram(paths, user), ...LASTING, ...LIMITS, ...HARDENING];
  return [...UNIT, "", ...service, "", ...INSTALL, ""].join("\n");
};
