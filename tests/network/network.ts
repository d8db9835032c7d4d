import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { checkAbility } from "../support/ability.ts";

/** A machine of the network: `words` before a command run it there. */
export type Host = Readonly<{ address: string; words: readonly string[]; listListening: () => readonly string[] }>;

/** Hosts that reach one another and nothing else. Packets that the first sends to `lost`
 * arrive nowhere, nobody has the address `absent`, and to `unroutable` no way leads. */
export type Network = Readonly<{
  hosts: readonly Host[];
  lost: string;
  absent: string;
  unroutable: string;
  dispose: () => void;
}>;

const IP = "/usr/sbin/ip";
const SS = "/usr/bin/ss";
const LOST = "10.88.0.1";
const ABSENT = "10.77.0.99";
const UNROUTABLE = "10.99.0.1";

const run = (program: string, ...words: readonly string[]): string =>
  execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 10_000 });

const ip = (...words: readonly string[]): string => run(IP, ...words);

const dropNamespace = (name: string): void => {
  for (const pid of ip("netns", "pids", name).split("\n")) {
    try {
      if (pid !== "") process.kill(Number(pid), "SIGKILL");
    } catch {}
  }
  ip("netns", "del", name);
};

const drop = (names: readonly string[]): void => {
  for (const name of names) {
    try {
      dropNamespace(name);
    } catch {}
  }
};

const plugIn = (name: string, hub: string, index: number): Host => {
  const address = `10.77.0.${index + 1}`;
  ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", `port${index}`, "netns", hub);
  ip("-n", hub, "link", "set", `port${index}`, "master", "hub", "up");
  ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
  for (const device of ["lo", "eth0"]) ip("-n", name, "link", "set", device, "up");
  const words = [IP, "netns", "exec", name];
  const listListening = (): readonly string[] =>
    run(IP, "netns", "exec", name, SS, "-Hltun")
      .split("\n")
      .flatMap((line) => line.split(/\s+/)[4] ?? []);
  return { address, words, listListening };
};

const makeHub = (name: string): void => {
  ip("netns", "add", name);
  ip("-n", name, "link", "add", "hub", "type", "bridge");
  ip("-n", name, "link", "set", "hub", "up");
};

/** Network namespaces that are joined by a bridge in one of their own, so that nothing of this machine's network is touched. */
export const createNetwork = (count: number): Network => {
  const prefix = `nexus-${randomBytes(3).toString("hex")}`;
  const hub = `${prefix}-hub`;
  const names = Array.from({ length: count }, (_one, index) => `${prefix}-${index}`);
  const dispose = (): void => drop([...names, hub]);
  try {
    makeHub(hub);
    for (const name of names) ip("netns", "add", name);
    const hosts = names.map((name, index) => plugIn(name, hub, index));
    if (count > 1) ip("-n", names[0] ?? "", "route", "add", LOST, "via", hosts[1]?.address ?? "");
    return { hosts, lost: LOST, absent: ABSENT, unroutable: UNROUTABLE, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
};

const tryNetwork = (): boolean => {
  try {
    createNetwork(1).dispose();
    return true;
  } catch {
    return false;
  }
};

/** It takes root, or as much in a container. */
export const canMakeNetworks: boolean = checkAbility(tryNetwork(), "leave to make network namespaces");
