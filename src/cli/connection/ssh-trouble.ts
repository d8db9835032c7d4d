import { readFileSync } from "node:fs";
import { escapeText } from "../../base/escape-text.ts";
import type { Failure } from "../../command-line/command.ts";
import { REFUSED, UNREACHABLE } from "../../command-line/usage.ts";
import { locateLog, type SshAddress } from "../targets/ssh-place.ts";

const describeSsh = ({ user, host, port }: SshAddress): string =>
  `ssh ${port === null ? "" : `-p ${port} `}${user === null ? "" : `${user}@`}${host}`;

type Reason = readonly [pattern: RegExp, exitCode: number, words: (address: SshAddress) => string];

const REASONS: readonly Reason[] = [
  [
    /open failed: administratively prohibited/,
    UNREACHABLE,
    () => "its SSH server forwards nothing (AllowTcpForwarding, PermitOpen)",
  ],
  [
    /open failed: .*refused/,
    UNREACHABLE,
    ({ serverAt }) => `no server listens there at ${serverAt} (start nexus-server; another place: --server-at)`,
  ],
  [/open failed/, UNREACHABLE, ({ serverAt }) => `its SSH server can't reach ${serverAt} there`],
  [/Could not resolve hostname/, UNREACHABLE, () => "no machine of that name is known here"],
  [
    /HOST IDENTIFICATION HAS CHANGED/,
    REFUSED,
    ({ host }) => `its host key is not the one that is known (if it was given a new one: ssh-keygen -R ${host})`,
  ],
  [
    /Host key verification failed|host key is known|authenticity/,
    REFUSED,
    (address) => `its host key is not known here; see and accept it once: ${describeSsh(address)}`,
  ],
  [
    /Permission denied|Too many authentication failures|No more authentication/,
    REFUSED,
    (address) =>
      `it does not let you in; this must work, without a terminal also without questions: ${describeSsh(address)}`,
  ],
  [/Connection refused/, UNREACHABLE, () => "no SSH server listens there"],
  [/timed out|Timeout/i, UNREACHABLE, () => "it did not answer in time (a firewall?)"],
  [/No route to host|unreachable/, UNREACHABLE, () => "no way leads there from here (network, VPN?)"],
];

const lastLine = (text: string): string => escapeText(text.split(/\r?\n/).at(-1) ?? "");

const readLog = (address: SshAddress): string => {
  try {
    return readFileSync(locateLog(address), "utf8").trim();
  } catch {
    return "";
  }
};

const explain = (address: SshAddress, log: string): Failure => {
  const known = REASONS.find(([pattern]) => pattern.test(log));
  if (known !== undefined) return { exitCode: known[1], message: known[2](address) };
  return { exitCode: UNREACHABLE, message: log === "" ? "the connection through ssh broke" : lastLine(log) };
};

/** Why there is no connection. */
export const explainSsh = (address: SshAddress): Failure => explain(address, readLog(address));

/** Why a request through the kept connection came to nothing. */
export const explainTunnel = (address: SshAddress): Failure => explain(address, lastLine(readLog(address)));
