import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  describeAllowed,
  describeFallback,
  type Field,
  type Fields,
  listFields,
  type Raw,
} from "../src/server/external/settings/field.ts";
import { CHANNEL } from "../src/server/external/settings/notify-channels.ts";
import { listSettingFlags, nameSetting, SETTINGS } from "../src/server/external/settings/setting-list.ts";
import { LOCAL_USER } from "../src/server/external/settings/user-tables.ts";

export const SETTINGS_PAGE = "docs/settings.md";

const INTRODUCTION = `# Settings of the server

They stand in \`config.toml\` in the server's folder, or in \`/etc/nexus_server/config.toml\` where it is installed. A variable wins over
the file, and a flag over both. A list in a variable is written with commas:

\`\`\`sh
NS_LOG_LEVEL=debug NS_ALLOWED_HOSTS=gpu-box,192.0.2.7 nexus-server --port 8080
\`\`\`

\`nexus-server config\` shows what holds, without secrets. \`nexus-server config --edit\` opens the file and takes no text with a mistake. The
server reads its settings when it starts; jobs go on while it does (\`nexus-server restart\`). With a mistaken value, or a name that is
no setting, it does not start and says which, and what is allowed.
`;

const CHANNELS = `## Channels

Each table \`[notify.NAME]\` in \`config.toml\` is a channel that hears of jobs; [integrations](integrations.md#channels-of-the-server)
has an example for each type. A name is of \`a-z\`, \`0-9\` and \`-\`.
`;

const USERS = `## Users

Each table \`[users.NAME]\` in \`config.toml\` is about a local user of the machine, on a server for all of them
([who is let in as whom](security.md#the-users-of-one-machine)).
`;

type Row = readonly string[];

const renderTable = (head: Row, rows: readonly Row[]): string => {
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0), title.length),
  );
  const renderRow = (row: Row, filler = " "): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(" | ")} |\n`;
  return [
    renderRow(head),
    renderRow(
      head.map(() => ""),
      "-",
    ),
    ...rows.map((row) => renderRow(row)),
  ].join("");
};

const describeDefault = (field: Field<unknown>): string => {
  if (field.fallback === undefined && field.otherwise === undefined) return "needed";
  const text = describeFallback(field);
  return field.otherwise === undefined && text !== "none" ? `\`${text}\`` : text;
};

const listRows = (fields: Fields<Raw>, rename: (name: string) => string): readonly Row[] =>
  listFields(fields).map((field) => [rename(field.name), describeDefault(field), describeAllowed(field), field.about]);

const nameWithFlag = (key: string): string => {
  const name = nameSetting(key);
  const flag = listSettingFlags().find(({ long }) => long === name.replaceAll("_", "-"));
  return flag === undefined ? `\`${name}\`` : `\`${name}\`, \`--${flag.long}\``;
};

const renderKeys = (fields: Fields<Raw>): string =>
  renderTable(
    ["key", "default", "must", "is"],
    listRows(fields, (key) => `\`${key}\``),
  );

export const renderSettingsPage = (): string =>
  [
    INTRODUCTION,
    renderTable(["setting", "default", "must", "is"], listRows(SETTINGS, nameWithFlag)),
    CHANNELS,
    renderKeys(CHANNEL),
    USERS,
    renderKeys(LOCAL_USER),
    "This page is written by `npm run settings` from the lists that the server reads.\n",
  ].join("\n");

if (import.meta.main) writeFileSync(join(import.meta.dirname, "..", SETTINGS_PAGE), renderSettingsPage());
