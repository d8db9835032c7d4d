import { connect } from "node:net";
import { err } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { FAILED, UNREACHABLE } from "../../command-line/usage.ts";
import { bypassesProxy } from "../targets/loopback.ts";
import {
  type Address,
  type Certificate,
  fetchCertificate,
  hasSameKey,
  isSameFingerprint,
  savePem,
} from "../targets/pinned-certificate.ts";
import type { Target } from "../targets/target.ts";

const HTTPS_PORT = 443;
const PROBE_LIMIT_MS = 5_000;
const CERTIFICATE = /CERT|SIGNED|VERIFY|ISSUER|another certificate/i;
const PLAIN = /WRONG_VERSION|EPROTO|ECONNRESET|TLS|SSL|SOCKET/i;

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_|FailedToOpenSocket|DNS/i, "no machine of that name is known here"],
  [/ECONNREFUSED|ConnectionRefused/i, "nothing listens there (is the server running, and is the port right?)"],
  [/TIMEDOUT|TimeoutError|Timeout/i, "it did not answer in time (a firewall?)"],
  [/EHOSTUNREACH|ENETUNREACH/i, "no way leads there from here (network, VPN?)"],
  [/EXPIRED|NOT_YET_VALID/i, "its certificate is not valid at this time: make a new one, and add the target again"],
  [/ALTNAME/i, "its certificate is made out to another name"],
  [CERTIFICATE, "its certificate is signed by an authority that this machine does not know"],
  [PLAIN, "it does not speak TLS as an https server does"],
];

/** `code` is a system's, OpenSSL's or Bun's error code or message. */
export const explainCode = (code: string): string => REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? code;

const readCode = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : `${error.name}: ${error.message}`;
};

const describeKey = (target: Target, presented: Certificate): string =>
  target.tls?.ca !== undefined && hasSameKey(target.tls.ca, presented.pem)
    ? "Its key is the one of before, as when the server has renewed it."
    : "Its key is another one.";

const describeChanged = (target: Target, pinned: string, presented: Certificate): Failure => ({
  exitCode: FAILED,
  message: [
    `the certificate of "${target.name}" has changed, so nothing was sent to it`,
    `  pinned:    ${pinned}`,
    `  presented: ${presented.fingerprint}`,
    `${describeKey(target, presented)} If the server's own machine shows the presented one, accept it:`,
    `  nx target add ${target.name} ${target.address} --fingerprint ${presented.fingerprint}`,
  ].join("\n"),
});

const fetchAgain = (target: Target, certificate: Certificate): Failure => {
  const saved = savePem(target.name, certificate);
  const done = `the pinned certificate of "${target.name}" was missing on this machine and is here again: repeat the command`;
  return saved.ok ? { exitCode: FAILED, message: done } : saved.error;
};

const findPlace = ({ baseUrl, socket }: Target): Address => {
  const { hostname, port } = new URL(baseUrl);
  return socket === null
    ? { host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port || HTTPS_PORT) }
    : { path: socket };
};

const REFUSED = "ECONNREFUSED";

const nameRefusal = async ({ baseUrl }: Target): Promise<string> => {
  const direct = (await bypassesProxy(new URL(baseUrl).hostname)) ? { proxy: false as const } : {};
  try {
    await fetch(baseUrl, { redirect: "manual", tls: { rejectUnauthorized: false }, ...direct });
    return REFUSED;
  } catch (error) {
    return readCode(error);
  }
};

/** What certificate the target's server shows; otherwise the code of what went wrong. Bun's sockets call a missing way
 * a refusal, its `fetch` does not. */
export const findPresented = async (target: Target): ReturnType<typeof fetchCertificate> => {
  const presented = await fetchCertificate(findPlace(target));
  const isRefused = !presented.ok && presented.error === REFUSED && target.socket === null;
  return isRefused ? err(await nameRefusal(target)) : presented;
};

/** Whether packets to it are lost: a server that is busy takes a connection all the same. */
export const isGone = async (target: Target): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(findPlace(target), () => resolve(false));
  socket.once("error", () => resolve(false));
  const timer = setTimeout(() => resolve(true), PROBE_LIMIT_MS);
  const isLost = await promise;
  clearTimeout(timer);
  socket.destroy();
  return isLost;
};

const judgePresented = async (target: Target, pinned: string): Promise<Failure | null> => {
  const presented = await findPresented(target);
  if (!presented.ok) return null;
  if (!isSameFingerprint(presented.value.fingerprint, pinned)) return describeChanged(target, pinned, presented.value);
  const isMissing = presented.value.isSelfSigned && target.tls?.ca === undefined;
  return isMissing ? fetchAgain(target, presented.value) : null;
};

const explain = async ({ ssh }: Target, code: string): Promise<Failure> => {
  if (ssh === null || CERTIFICATE.test(code)) return { exitCode: UNREACHABLE, message: explainCode(code) };
  const { explainTunnel } = await import("./ssh-trouble.ts");
  return explainTunnel(ssh);
};

/** Why the connection failed, in words; for a changed certificate both fingerprints. */
export const explainTrouble = async (target: Target, error: unknown): Promise<Failure> => {
  const code = readCode(error);
  const { fingerprint } = target;
  const judged = fingerprint !== null && CERTIFICATE.test(code) ? await judgePresented(target, fingerprint) : null;
  if (judged !== null) return judged;
  const { exitCode, message } = await explain(target, code);
  return { exitCode, message: `the server "${target.name}" at ${target.address} can't be reached: ${message}` };
};
