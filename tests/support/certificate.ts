import { execFileSync } from "node:child_process";
import { join } from "node:path";

export type CertificateFiles = Readonly<{ key: string; cert: string; fingerprint: string }>;

const OPENSSL = "openssl";

/** A self-signed certificate, made out to a name of its own. */
export const makeCertificate = (folder: string, name: string): CertificateFiles => {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.crt`);
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  execFileSync(OPENSSL, ["req", "-x509", ...kind, "-keyout", key, "-out", cert, ...names], { stdio: "pipe" });
  const printed = execFileSync(OPENSSL, ["x509", "-in", cert, "-noout", "-fingerprint", "-sha256"]).toString();
  return { key, cert, fingerprint: printed.trim().split("=")[1] ?? "" };
};
