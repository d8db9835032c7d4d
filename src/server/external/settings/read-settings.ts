import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { maskUrls } from "../../../base/secret-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type Raw, readFields, type WrongValue } from "./field.ts";
import { readChannels } from "./notify-channels.ts";
import { isSecretSetting, nameSetting, SETTINGS } from "./setting-list.ts";
import { readUsers } from "./user-tables.ts";

/** What only the machine knows. */
export type HostFacts = Readonly<{ serverDir: string; hostname: string; cores: number; memoryBytes: number }>;

/** Of each source the values by the names of the settings; of the environment all variables. */
export type Sources = Readonly<{ file: Raw; env: Readonly<Record<string, string | undefined>>; flags: Raw }>;

const KEYS = Object.keys(SETTINGS);
const NAMES = [...KEYS.map(nameSetting), "notify", "users"];

const BYTES_A_GIB = 1024 ** 3;
const BOOKABLE = 7 / 8;
const HUNDREDTHS = 100;

const countBookable = (bytes: number): number =>
  Math.max(1, Math.floor((bytes / BYTES_A_GIB) * BOOKABLE * HUNDREDTHS)) / HUNDREDTHS;

const collectRaw = ({ file, env, flags }: Sources, host: HostFacts): Raw => {
  const { serverDir, hostname, cores, memoryBytes } = host;
  const memoryGb = countBookable(memoryBytes);
  const ofHost: Raw = { serverDir, nodeName: hostname, maxCpuJobs: cores, cpus: cores, memoryGb };
  return Object.fromEntries(
    KEYS.map((key) => {
      const name = nameSetting(key);
      return [key, flags[name] ?? env[`NS_${name.toUpperCase()}`] ?? file[name] ?? ofHost[key]];
    }),
  );
};

const describeValue = (value: unknown): string => (typeof value === "string" ? `"${value}"` : JSON.stringify(value));

const explain = ({ name: key, value, allowed }: WrongValue): Problem => {
  const name = nameSetting(key);
  const shown = isSecretSetting(key) ? "what is given" : describeValue(value);
  return { message: `${name} = ${maskUrls(shown)} is not allowed: it must ${allowed}` };
};

/** Flags win over `NS_…` variables, these over the file, that over the defaults. The first mistake is told. */
export const readSettings = (sources: Sources, host: HostFacts): Result<Settings, Problem> => {
  const unknown = Object.keys(sources.file).find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    return err({ message: `${unknown} is not a setting; the settings are: ${NAMES.join(", ")}` });
  const notify = readChannels(sources.file["notify"] ?? {});
  if (!notify.ok) return notify;
  const users = readUsers(sources.file["users"] ?? {});
  if (!users.ok) return users;
  const settings = readFields<Omit<Settings, "notify" | "users">>(SETTINGS, collectRaw(sources, host));
  return settings.ok
    ? ok({ ...settings.value, notify: notify.value, users: users.value })
    : err(explain(settings.error));
};
