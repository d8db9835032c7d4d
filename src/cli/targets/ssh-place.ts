import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { fail } from "../../command-line/usage.ts";
import { digestText } from "../../tools/digest.ts";
import { locateHome } from "../settings/config-file.ts";
import { isOwnFolder, locateRuntime } from "./runtime-folder.ts";

/** Who, where and by which port for `ssh`, null for what its own settings say; `serverAt` is a port of
 * that machine's loopback, or a Unix socket there. */
export type SshAddress = Readonly<{ user: string | null; host: string; port: number | null; serverAt: string }>;

const PRIVATE_FOLDER = 0o700;
const OTHERS = 0o077;
const NAME_LENGTH = 12;

const locateFolder = (): string => {
  const runtime = locateRuntime();
  return runtime === null ? `/tmp/nexus-${process.getuid?.()}` : join(runtime, "nexus");
};

/** The name of a tunnel's socket, of the user with that home. */
export const nameTunnel = (home: string, address: SshAddress): string =>
  digestText(JSON.stringify([home, address])).slice(0, NAME_LENGTH);

const nameFiles = (address: SshAddress): string => nameTunnel(locateHome(), address);

/** The socket by which the server is reached while a connection is kept. */
export const locateTunnel = (address: SshAddress): string => join(locateFolder(), nameFiles(address));

/** What `ssh` says of the connection, as long as it is kept. */
export const locateLog = (address: SshAddress): string => `${locateTunnel(address)}.log`;

export const makeTunnelFolder = (): Result<void, Failure> => {
  const folder = locateFolder();
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  return isOwnFolder(folder, OTHERS)
    ? ok(undefined)
    : fail(`${folder} must be a folder that is yours alone: have it removed, or set XDG_RUNTIME_DIR to one that is`);
};

/** The control sockets of all connections to the address, also of those that have died. */
export const listControls = (address: SshAddress): readonly string[] => {
  const folder = locateFolder();
  const name = new RegExp(`^${nameFiles(address)}\\.[0-9a-f]+$`);
  return isOwnFolder(folder, OTHERS)
    ? readdirSync(folder)
        .filter((file) => name.test(file))
        .map((file) => join(folder, file))
    : [];
};
