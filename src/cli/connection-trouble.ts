import { FAILED, UNREACHABLE } from "./failure.ts";
import { type Certificate, fetchCertificate, hasSameKey, isSameFingerprint, savePem } from "./pinned-certificate.ts";
import type { Target } from "./target.ts";
import type { Failure } from "./verb.ts";

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
    `  nx target add ${target.name} ${target.baseUrl} --fingerprint ${presented.fingerprint}`,
  ].join("\n"),
});

const fetchAgain = (target: Target, certificate: Certificate): Failure => {
  const saved = savePem(target.name, certificate);
  const done = `the pinned certificate of "${target.name}" was missing on this machine and is here again: repeat the command`;
  return saved.ok ? { exitCode: FAILED, message: done } : saved.error;
};

const judgePresented = async (target: Target, pinned: string): Promise<Failure | null> => {
  const { hostname, port } = new URL(target.baseUrl);
  const presented = await fetchCertificate({ host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port || 443) });
  if (!presented.ok) return null;
  if (!isSameFingerprint(presented.value.fingerprint, pinned)) return describeChanged(target, pinned, presented.value);
  const isMissing = presented.value.isSelfSigned && target.tls?.ca === undefined;
  return isMissing ? fetchAgain(target, presented.value) : null;
};

/** Why the connection failed, in words; for a changed certificate both fingerprints. */
export const explainTrouble = async (target: Target, error: unknown): Promise<Failure> => {
  const code = readCode(error);
  const { fingerprint } = target;
  const judged = fingerprint !== null && CERTIFICATE.test(code) ? await judgePresented(target, fingerprint) : null;
  const reason = explainCode(code);
  const message = `the server "${target.name}" at ${target.baseUrl} can't be reached: ${reason}`;
  return judged ?? { exitCode: UNREACHABLE, message };
};
