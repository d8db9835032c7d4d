import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Problem, Result } from "../../base/result.ts";
import { listCertificateNames } from "../core/machine/certificate.ts";
import type { Machine } from "../core/machine/installable-machine.ts";
import { type AddedSettings, addEarlierSettings } from "../external/earlier/earlier-settings.ts";
import { EARLIER_DATABASE } from "../external/earlier/find-database.ts";
import { readSettingsFile } from "../external/settings/settings-file.ts";
import { hasTakenOver } from "../external/sqlite/beside-server/server-folder.ts";
import { PATHS, SERVICE } from "../installation/plan.ts";
import { renderConfiguration } from "../installation/render.ts";

const RUN = [`systemctl stop ${SERVICE}`, "nexus-server import", `systemctl start ${SERVICE}`].map(
  (command) => `sudo ${command}`,
);

const OFFER = `An earlier Nexus left its jobs in ${PATHS.configDir}. To take them over: ${RUN.join(" && ")}`;

/** Whether the configuration is one that the earlier Nexus wrote: its folder was the server's, too. */
export const isEarlierConfiguration = (): boolean => {
  const file = readSettingsFile(PATHS.config);
  return file.ok && file.value["server_dir"] === PATHS.configDir;
};

/** A new configuration with the settings of the earlier one. */
export const renderFromEarlier = ({ names }: Machine): Result<AddedSettings, Problem> =>
  addEarlierSettings(PATHS.configDir, renderConfiguration(PATHS, listCertificateNames(names)));

/** What is to be told of jobs that an earlier installation left and nobody has taken over. */
export const offerImport = (): readonly string[] =>
  existsSync(join(PATHS.configDir, EARLIER_DATABASE)) && !hasTakenOver(PATHS.serverDir) ? [OFFER] : [];
