import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { replaceFile } from "../../../tools/replace-file.ts";
import { isLocalHost } from "../../core/access/server-hosts.ts";
import { listCertificateNames } from "../../core/machine/certificate.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { listMachineNames } from "../machine/machine-names.ts";
import { type CertificateKeeper, type KeeperOptions, openCertificate } from "./certificate-keeper.ts";
import { createCertificate } from "./tls-certificate.ts";
import { readPair, type TlsFiles } from "./tls-pair.ts";

const MS_PER_S = 1000;
const PRIVATE = 0o600;
const PUBLIC = 0o644;

/** The names and addresses that the settings give the server. */
export const listHosts = (settings: Settings): readonly string[] => [
  settings.host,
  settings.nodeName,
  ...(settings.externalIp === null ? [] : [settings.externalIp]),
  ...settings.allowedHosts,
];

/** The files to serve: those of the settings, else own ones where other machines reach the server; null for plain HTTP. */
export const locateTls = (settings: Settings): Result<TlsFiles | null, Problem> => {
  const { sslKeyfile: key, sslCertfile: certificate, host, insecureHttp, serverDir } = settings;
  if (key !== null && certificate !== null) return ok({ key, certificate });
  if (key !== null || certificate !== null)
    return err({ message: "ssl_keyfile and ssl_certfile go together: give both or none" });
  if (isLocalHost(host) || insecureHttp) return ok(null);
  return ok({ key: join(serverDir, "tls.key"), certificate: join(serverDir, "tls.crt") });
};

/** Whether the files that the settings name can be served; own ones may still have to be made. */
export const checkTls = (settings: Settings): Result<unknown, Problem> => {
  const files = locateTls(settings);
  return files.ok && files.value !== null && settings.sslCertfile !== null ? readPair(files.value) : files;
};

const makeOwn = async ({ files, listNames, clock }: KeeperOptions): Promise<Result<void, Problem>> => {
  try {
    const made = await createCertificate(listCertificateNames(listNames()), new Date(clock() * MS_PER_S));
    replaceFile(files.key, made.key, PRIVATE);
    replaceFile(files.certificate, made.certificate, PUBLIC);
    return ok(undefined);
  } catch (error) {
    return err({ message: `a certificate can't be made in ${files.certificate}: ${describeError(error)}` });
  }
};

/** Null where it is to speak plain HTTP. Own files that are not there yet are made. */
export const openTls = async (
  settings: Settings,
  options: Pick<KeeperOptions, "clock" | "log">,
): Promise<Result<CertificateKeeper | null, Problem>> => {
  const files = locateTls(settings);
  if (!files.ok) return files;
  if (files.value === null) return ok(null);
  const listNames = (): readonly string[] => [...listHosts(settings), ...listMachineNames()];
  const keeper = { files: files.value, listNames, ...options };
  const isMissing =
    settings.sslCertfile === null && !(existsSync(keeper.files.key) && existsSync(keeper.files.certificate));
  const made = isMissing ? await makeOwn(keeper) : ok(undefined);
  return made.ok ? openCertificate(keeper) : made;
};
