import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { isIP } from "node:net";
import { type ConnectionOptions, connect, type PeerCertificate } from "node:tls";
import { err, ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { locateOwn } from "../settings/config-file.ts";
import { writePrivateFile } from "../settings/write-file.ts";

/** For `fetch` and `WebSocket`: this certificate and no other, whatever names it is made out to, and whatever
 * `NODE_TLS_REJECT_UNAUTHORIZED` says. Without a check, any that an authority vouches for. */
export type Pin = Readonly<{
  rejectUnauthorized: true;
  ca?: string;
  checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
}>;

/** `fingerprint` is SHA-256, as openssl prints it. */
export type Certificate = Readonly<{ pem: string; fingerprint: string; isSelfSigned: boolean }>;

/** Of a server; `path` is that of a Unix socket. */
export type Address = Readonly<{ host: string; port: number }> | Readonly<{ path: string }>;

const TIME_LIMIT_MS = 10_000;

const locatePem = (name: string): string => locateOwn(`certificates/${name}.pem`);

export const readCertificate = (text: string | Buffer): Certificate => {
  const certificate = new X509Certificate(text);
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    isSelfSigned: certificate.issuer === certificate.subject,
  };
};

const normalize = (fingerprint: string): string =>
  fingerprint
    .replace(/^sha-?256[:=]?/i, "")
    .replaceAll(/[:\s]/g, "")
    .toUpperCase();

export const isSameFingerprint = (one: string, other: string): boolean => normalize(one) === normalize(other);

export const isFingerprint = (text: string): boolean => /^[0-9A-F]{64}$/.test(normalize(text));

/** Of two certificates in PEM. Who presents one has its key. */
export const hasSameKey = (one: string, other: string): boolean =>
  new X509Certificate(one).publicKey.equals(new X509Certificate(other).publicKey);

export const savePem = (name: string, { pem }: Certificate): Result<void, Failure> =>
  writePrivateFile(locatePem(name), pem);

export const removePem = (name: string): void => rmSync(locatePem(name), { force: true });

const CHECKED = { rejectUnauthorized: true } as const;

const createCheck =
  (fingerprint: string): NonNullable<Pin["checkServerIdentity"]> =>
  (_host, certificate) =>
    isSameFingerprint(certificate.fingerprint256, fingerprint) ? undefined : new Error("it is another certificate");

/** A certificate that signed itself vouches for itself; any other is vouched for by an authority that this machine knows. */
export const createPin = (certificate: Certificate): Pin => ({
  ...CHECKED,
  ...(certificate.isSelfSigned ? { ca: certificate.pem } : {}),
  checkServerIdentity: createCheck(certificate.fingerprint),
});

const tryReadPem = (path: string): Certificate | null => {
  try {
    return existsSync(path) ? readCertificate(readFileSync(path, "utf8")) : null;
  } catch {
    return null;
  }
};

/** The fingerprint decides: a stored certificate that has another one is not used. */
export const readPin = (name: string, fingerprint: string): Pin => {
  const stored = tryReadPem(locatePem(name));
  return stored !== null && isSameFingerprint(stored.fingerprint, fingerprint)
    ? createPin(stored)
    : { ...CHECKED, checkServerIdentity: createCheck(fingerprint) };
};

const describeOptions = (address: Address): ConnectionOptions => ({
  ...address,
  rejectUnauthorized: false,
  ...("host" in address && isIP(address.host) === 0 ? { servername: address.host } : {}),
});

/** What the server presents, whether or not it is to be trusted; otherwise the code of what went wrong. */
export const fetchCertificate = (
  address: Address,
  timeLimitMs = TIME_LIMIT_MS,
): Promise<Result<Certificate, string>> => {
  const { promise, resolve } = Promise.withResolvers<Result<Certificate, string>>();
  const socket = connect(describeOptions(address), () => {
    resolve(ok(readCertificate(socket.getPeerCertificate().raw)));
    socket.end();
  });
  const timer = setTimeout(() => socket.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })), timeLimitMs);
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(err(error.code ?? error.message)));
  socket.once("close", () => {
    clearTimeout(timer);
    resolve(err("ECONNRESET"));
  });
  return promise;
};
