import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../src/base/version.ts";
import { NX } from "../src/cli/program.ts";
import { createProgram } from "../src/server/program.ts";
import { renderPage, type Surroundings } from "./man-page.ts";

const ROOT = join(import.meta.dirname, "..");

const CLIENT: Surroundings = {
  description: "Without a verb, nx shows GPUs, running jobs and the head of the queue.",
  exitCodes: [
    ["0", "done"],
    ["1", "it failed; one line says why"],
    ["2", "wrong usage, or a question that can't be asked without a terminal"],
    ["3", "the server can't be reached"],
    ["4", "the server refused"],
    ["130", "interrupted by Ctrl-C; a job that was followed goes on"],
    ["other", "run, logs -F and wait: the job's own (143 for a killed, 1 for a lost)"],
  ],
  variables: [
    ["NEXUS_TARGET", "the server to talk to, as -t"],
    ["NEXUS_TARGET_HOST, NEXUS_TARGET_API_TOKEN, …", "fields of the target that NEXUS_TARGET names, of no other"],
    ["NEXUS_API_TOKEN", "the token for nx target add; the earlier name of NEXUS_TARGET_API_TOKEN"],
    ["NEXUS_USER, NEXUS_AUTOSTART, NEXUS_DEFAULT_NOTIFICATIONS, …", "each setting of config.toml"],
    ["NS_SERVER_DIR, NS_PORT", "the folder and the port of your own server"],
    ["NEXUS_SOCKET", "the socket of the local server"],
    ["VISUAL, EDITOR", "the editor of config, env and jobrc"],
    ["NO_COLOR, FORCE_COLOR", "no colours; colours in a pipe too"],
  ],
  files: [
    ["~/.nexus/config.toml", "settings and targets"],
    ["~/.nexus/.env", "variables for all of your jobs"],
    ["~/.nexus/.jobrc", "what bash reads before each job"],
    ["~/.nexus/certificates", "the pinned certificates of targets"],
  ],
  seeAlso: "nexus-server",
};

const SERVER: Surroundings = {
  description: "Without a verb, nexus-server runs in the foreground. A verb comes before the flags.",
  exitCodes: [
    ["0", "done"],
    ["1", "it failed, or a setting is mistaken; one line says why"],
    ["2", "wrong usage, or a question that can't be asked without a terminal"],
    ["3", "status: no server runs"],
    [
      "other",
      "status, logs, start, stop, restart of an installed server: that of systemd; attach-session: the session's",
    ],
  ],
  variables: [
    ["NS_PORT, NS_SERVER_DIR, NS_LOG_LEVEL, …", "each setting of config.toml, over what it says there"],
    ["VISUAL, EDITOR", "the editor of config --edit"],
  ],
  files: [
    ["~/.local/state/nexus-server", "its folder: state, jobs, backups, config.toml"],
    ["/var/lib/nexus-server", "that of an installed server"],
    ["/etc/nexus_server/config.toml", "the settings of an installed server"],
    ["/run/nexus-server/nexus.sock", "where an installed server knows the users of the machine by name"],
  ],
  seeAlso: "nx",
};

/** The manual pages by the path that they stand at. */
export const renderPages = async (): Promise<Readonly<Record<string, string>>> => ({
  "docs/man/nx.1": await renderPage(NX, VERSION, CLIENT),
  "docs/man/nexus-server.1": await renderPage(createProgram(), VERSION, SERVER),
});

if (import.meta.main)
  for (const [path, text] of Object.entries(await renderPages())) writeFileSync(join(ROOT, path), text);
