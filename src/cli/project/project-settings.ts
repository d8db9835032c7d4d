import type { NOTIFICATION_NAMES } from "../../wire/job-names.ts";
import type { Table } from "../settings/toml.ts";
import { isTable } from "./project-keys.ts";

/** What a project file says, as it is checked by `listKeyMistakes`. */
export type ProjectSettings = Readonly<{
  jobrc?: string | false;
  outputs?: readonly string[] | false;
  link?: readonly string[];
  env?: Readonly<Record<string, string>>;
  gpus?: number;
  priority?: number;
  notify?: readonly (typeof NOTIFICATION_NAMES)[number][];
  local?: boolean;
}>;

const findTable = (table: Table, name: string): Table => {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  return isTable(found) ? found : {};
};

/** Those for a target: its own keys win, and of `env` each variable. */
export const chooseSettings = (table: Table, target: string): ProjectSettings => {
  const { target: _targets, ...common } = table;
  const own = findTable(findTable(table, "target"), target);
  const env = { ...findTable(common, "env"), ...findTable(own, "env") };
  return { ...common, ...own, env } as ProjectSettings;
};

/** What they set, by name. */
export const listSettings = ({ env = {}, ...others }: ProjectSettings): readonly string[] => [
  ...Object.keys(others),
  ...Object.keys(env).map((name) => `env.${name}`),
];
