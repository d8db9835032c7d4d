import { escapeText } from "../../base/escape-text.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { DONE, type Failure, type FlagValues, type Outcome } from "../../command-line/command.ts";
import { readSwitch, readText } from "../../command-line/flag-values.ts";
import { FAILED, fail, failUsage, REFUSED, UNREACHABLE } from "../../command-line/usage.ts";
import { withinLimit } from "../../tools/within-limit.ts";
import type { ServerStatus } from "../../wire/node.ts";
import { createApi } from "../connection/api-client.ts";
import { explainCode, findPresented } from "../connection/connection-trouble.ts";
import { describeVersion, refuseVersion } from "../connection/server-version.ts";
import { changeConfig } from "../settings/config-edit.ts";
import type { Config } from "../settings/config-file.ts";
import {
  type Certificate,
  createPin,
  isFingerprint,
  isSameFingerprint,
  savePem,
} from "../targets/pinned-certificate.ts";
import type { SshAddress } from "../targets/ssh-place.ts";
import { findEntry, findWay, TARGET_USER, type Target } from "../targets/target.ts";
import type { TargetAddress } from "../targets/target-url.ts";
import { readGivenToken } from "../targets/target-variables.ts";
import { hint, print, printJson } from "../terminal/output.ts";
import { askSecret, confirm } from "../terminal/prompt.ts";
import { readStandardInput } from "../terminal/standard-input.ts";
import { chooseUser, findKnownName } from "./known-user.ts";
import { offerSshKey, readGivenKey } from "./ssh-key.ts";

export type NewTarget = Readonly<{ name: string; address: TargetAddress; config: Config }>;

const CHECK_LIMIT_MS = 15_000;

const agreeOn = async (fingerprint: string, flags: FlagValues): Promise<Result<boolean, Failure>> => {
  const expected = readText(flags, "fingerprint");
  if (expected !== null) {
    if (!isFingerprint(expected)) return failUsage("--fingerprint takes a SHA-256 fingerprint: 64 hexadecimal digits");
    if (isSameFingerprint(expected, fingerprint)) return ok(true);
    return fail(`this is not the expected certificate\n  expected:  ${expected}\n  presented: ${fingerprint}`);
  }
  hint(`The server's certificate has the SHA-256 fingerprint\n  ${fingerprint}`);
  if (readSwitch(flags, "yes")) return ok(true);
  return confirm(
    "Is it the one that the server's own machine shows?",
    "the certificate is asked about on a terminal only",
    "give --fingerprint, or -y to trust it unseen",
  );
};

const askCertificate = async (target: Target): Promise<Result<Certificate, Failure>> => {
  const presented = await findPresented(target);
  if (presented.ok) return presented;
  return err({ exitCode: UNREACHABLE, message: `${target.address} can't be reached: ${explainCode(presented.error)}` });
};

const pinBehindSsh = async (
  target: Target,
  ssh: SshAddress,
  flags: FlagValues,
): Promise<Result<Certificate | null, Failure>> => {
  const opened = await (await import("../connection/ssh-tunnel.ts")).openTunnel(ssh, target);
  if (!opened.ok) return opened;
  const plain = await createApi(target).get("/v1/health");
  if (plain.ok || plain.error.exitCode !== UNREACHABLE) return ok(null);
  const presented = await askCertificate(target);
  if (!presented.ok) return plain;
  const agreed = readText(flags, "fingerprint") === null ? ok(true) : await agreeOn(presented.value.fingerprint, flags);
  return agreed.ok ? presented : agreed;
};

const pinCertificate = async (target: Target, flags: FlagValues): Promise<Result<Certificate | null, Failure>> => {
  if (target.ssh !== null) return pinBehindSsh(target, target.ssh, flags);
  if (!target.baseUrl.startsWith("https:")) return ok(null);
  const presented = await askCertificate(target);
  if (!presented.ok) return presented;
  const agreed = await agreeOn(presented.value.fingerprint, flags);
  if (!agreed.ok) return agreed;
  return agreed.value ? presented : fail("nothing was added");
};

const readKeptToken = ({ name, config }: NewTarget): string | undefined => {
  const token = findEntry(config, name)?.["api_token"];
  return typeof token === "string" ? token : undefined;
};

const readToken = async (added: NewTarget, flags: FlagValues): Promise<Result<string, Failure>> => {
  if (readSwitch(flags, "token-stdin")) return ok(readStandardInput().trim());
  const given = readGivenToken(added.name) ?? readKeptToken(added);
  if (given !== undefined || added.address.protocol !== "https") return ok(given ?? "");
  return askSecret(
    "API token of the server (not shown): ",
    "the token is asked for on a terminal only",
    "give it with --token-stdin or in NEXUS_API_TOKEN",
  );
};

const nameTarget = async ({ name, address, config }: NewTarget): Promise<Target> => ({
  name,
  ...(await findWay(address)),
  token: null,
  tls: null,
  fingerprint: null,
  isInstalled: false,
  autostart: false,
  notes: [],
  config,
});

const pinTarget = (target: Target, certificate: Certificate | null, token: string): Target => ({
  ...target,
  baseUrl: certificate === null ? target.baseUrl : target.baseUrl.replace(/^http:/, "https:"),
  token: token === "" ? null : token,
  tls: certificate === null ? null : createPin(certificate),
  fingerprint: certificate?.fingerprint ?? null,
});

const checkServer = async (target: Target): Promise<Result<ServerStatus, Failure>> => {
  const status = await withinLimit(createApi(target).get<ServerStatus | null>("/v1/server/status"), CHECK_LIMIT_MS);
  if (status === null) {
    return err({ exitCode: UNREACHABLE, message: `${target.address} did not answer in time, so nothing was added` });
  }
  if (!status.ok) return err(describeRefusal(target, status.error));
  if (typeof status.value?.server_version !== "string") return err(describeStranger(target));
  const refusal = refuseVersion(status.value.server_version);
  return refusal === null ? ok(status.value) : err(refusal);
};

const describeStranger = ({ address }: Target): Failure => ({
  exitCode: FAILED,
  message: `what answers at ${address} is not a Nexus server`,
});

const describeRefusal = (target: Target, refused: Failure & Readonly<{ code: string | null }>): Failure => {
  if (refused.code === "INVALID_CREDENTIALS" || refused.code === "AUTHENTICATION_REQUIRED") {
    const token = target.token === null ? "it needs a token (--token-stdin)" : "the token is wrong";
    return { exitCode: REFUSED, message: token, hint: "the server shows it once, when it starts for the first time" };
  }
  return refused.code === null && refused.exitCode !== UNREACHABLE && !refused.message.includes("certificate")
    ? describeStranger(target)
    : refused;
};

const save = async (
  target: Target,
  status: ServerStatus,
  { added, certificate }: Readonly<{ added: NewTarget; certificate: Certificate | null }>,
): Promise<Outcome> => {
  const saved = certificate === null ? ok(undefined) : savePem(target.name, certificate);
  if (!saved.ok) return saved;
  const before = findEntry(added.config, target.name) ?? {};
  const entry = {
    ...Object.fromEntries(Object.entries(before).filter(([field]) => field !== TARGET_USER)),
    ...added.address,
    ...chooseUser(target, status, before),
    ...(target.token === null ? {} : { api_token: target.token }),
    ...(target.fingerprint === null ? {} : { certificate_fingerprint: target.fingerprint }),
  };
  const changed = await changeConfig({ targets: { [target.name]: entry } });
  return changed.ok ? DONE : changed;
};

const warnOfVariable = (user: string | null): void => {
  const named = process.env["NEXUS_USER"];
  if (user === null || !named || named === user) return;
  hint(`Warning: NEXUS_USER=${named} is set here and still wins.`);
};

const report = (target: Target, status: ServerStatus, flags: FlagValues): void => {
  const { name, address: url, fingerprint } = target;
  const user = findKnownName(target, status);
  const known = user === null ? "" : `, where you are ${escapeText(user)}`;
  if (readSwitch(flags, "json")) printJson({ name, url, certificate_fingerprint: fingerprint, user });
  else if (readSwitch(flags, "quiet")) print(name);
  else
    print(`Target ${name} is added: ${escapeText(status.node_name)} with ${status.gpu_count} GPUs, at ${url}${known}.`);
  warnOfVariable(user);
  const difference = describeVersion(status.server_version);
  if (difference !== null) hint(`Warning: ${difference}`);
  hint(`Use it with -t ${name}, or for every command: nx target ${name}`);
};

const tryAdd = async (added: NewTarget, named: Target, flags: FlagValues): Promise<Outcome> => {
  const key = readGivenKey(flags);
  if (!key.ok) return key;
  const certificate = await pinCertificate(named, flags);
  if (!certificate.ok) return certificate;
  const token = await readToken(added, flags);
  if (!token.ok) return token;
  const target = pinTarget(named, certificate.value, token.value);
  const status = await checkServer(target);
  if (!status.ok) return status;
  const saved = await save(target, status.value, { added, certificate: certificate.value });
  if (!saved.ok) return saved;
  report(target, status.value, flags);
  return offerSshKey(target, status.value, { given: key.value, flags });
};

/** Nothing is written before the server has answered. */
export const addTarget = async (added: NewTarget, flags: FlagValues): Promise<Outcome> => {
  const target = await nameTarget(added);
  const done = await tryAdd(added, target, flags);
  if (!done.ok && target.ssh !== null) await (await import("../connection/ssh-tunnel.ts")).closeTunnel(target.ssh);
  return done;
};
