import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { listMachineNames } from "../machine/machine-names.ts";
import { type CertificateKeeper, type KeeperOptions, openCertificate } from "./certificate-keeper.ts";

/** The names and addresses that the settings give the server. */
export const listHosts = (settings: Settings): readonly string[] => [
  settings.host,
  settings.nodeName,
  ...(settings.externalIp === null ? [] : [settings.externalIp]),
  ...settings.allowedHosts,
];

/** Null where the settings ask for no TLS. */
export const openTls = async (
  settings: Settings,
  options: Pick<KeeperOptions, "clock" | "log">,
): Promise<Result<CertificateKeeper | null, Problem>> => {
  const { sslKeyfile: key, sslCertfile: certificate } = settings;
  if (key === null && certificate === null) return ok(null);
  if (key === null || certificate === null)
    return err({ message: "ssl_keyfile and ssl_certfile go together: give both or none" });
  const listNames = (): readonly string[] => [...listHosts(settings), ...listMachineNames()];
  return openCertificate({ files: { key, certificate }, listNames, ...options });
};
