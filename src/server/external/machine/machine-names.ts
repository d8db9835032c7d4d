import { execFileSync } from "node:child_process";
import { hostname, networkInterfaces } from "node:os";

const HOSTNAME = "hostname";
const LOOKUP_LIMIT_MS = 3000;
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

const readFullName = (): readonly string[] => {
  try {
    return [execFileSync(HOSTNAME, ["--fqdn"], { timeout: LOOKUP_LIMIT_MS, stdio: "pipe" }).toString().trim()];
  } catch {
    return [];
  }
};

const listAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address);

/** By which clients may call the machine: its name, its full name, its addresses, loopback. May wait 3 s for the full name. */
export const listMachineNames = (): readonly string[] => [
  ...new Set([hostname(), ...readFullName(), ...listAddresses(), ...LOOPBACK]),
];
