import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DONE, type Outcome, type Verb } from "../../command-line/command.ts";
import { convertProblem } from "../../command-line/usage.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Log } from "../core/telemetry/log.ts";
import type { OnStep } from "../core/telemetry/steps.ts";
import { EARLIER_DATABASE } from "../external/earlier/find-database.ts";
import { loadSettings, locateSettingsFile } from "../external/settings/load-settings.ts";
import { isReadByOthers } from "../external/settings/private-settings.ts";
import { hasTakenOver } from "../external/sqlite/beside-server/server-folder.ts";
import { createLog } from "../external/telemetry/log.ts";
import { startServer } from "../start-server.ts";

const warnOfReaders = (log: Log, path: string, { apiToken }: Settings): void => {
  if (apiToken === null || !isReadByOthers(path)) return;
  log.warn("others may read the settings, and api_token in them", { path, mend: `chmod 600 ${path}` });
};

const warnOfEarlier = (log: Log, path: string, { serverDir }: Settings): void => {
  const databases = [serverDir, dirname(path)].map((folder) => join(folder, EARLIER_DATABASE));
  const found = databases.find((database) => existsSync(database));
  if (found === undefined || hasTakenOver(serverDir)) return;
  const mend = `stop this server, then nexus-server import ${dirname(found)}`;
  log.warn("an earlier Nexus left jobs that this server does not have", { path: found, mend });
};

const serve = async (settings: Settings, path: string, onStep: OnStep | undefined): Promise<Outcome> => {
  const log = createLog(process.stdout.isTTY === true, settings.logLevel);
  warnOfReaders(log, path, settings);
  const started = convertProblem(await startServer(settings, { log, onStep }));
  if (!started.ok) return started;
  warnOfEarlier(log, path, settings);
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
  await promise;
  await started.value.stop();
  return DONE;
};

export const createServe = (onStep: OnStep | undefined): Verb => ({
  name: "",
  usage: "nexus-server [flags]",
  summary: "run in the foreground",
  flags: [],
  examples: ["nexus-server --mock-gpus 2 --port 0"],
  run: async ({ flags }) => {
    const path = locateSettingsFile(flags);
    const settings = convertProblem(loadSettings(flags, path));
    return settings.ok ? serve(settings.value, path, onStep) : settings;
  },
});
