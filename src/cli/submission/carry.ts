import { relative, resolve } from "node:path";
import { escapeText } from "../../base/escape-text.ts";
import type { FlagValues } from "../../command-line/command.ts";
import { readText } from "../../command-line/flag-values.ts";
import type { JobRequestInput } from "../../wire/job.ts";
import { isOwnServer } from "../connection/own-server.ts";
import { findEditable, findUnsentModules, followBelow } from "../project/editable-installs.ts";
import { type CarryMode, findActive, selectCarried } from "../settings/carried-variables.ts";
import { type Config, readOption } from "../settings/config-file.ts";
import { CARRY_MODES } from "../settings/settings.ts";
import type { Target } from "../targets/target.ts";
import { hint } from "../terminal/output.ts";

type Environment = Readonly<Record<string, string>>;

/** `values` are what travels of the shell, `active` is the folder of its active environment. */
export type Carried = Readonly<{ values: Environment; active: string | null }>;

export type VariableFields = Pick<JobRequestInput, "carried_names" | "code_root"> & Readonly<{ env: Environment }>;

const IMPORTS = "PYTHONPATH";

export const readCarryMode = (flags: FlagValues, config: Config): CarryMode => {
  const chosen = readText(flags, "carry") ?? readOption(config, "carry_environment");
  return CARRY_MODES.find((mode) => mode === chosen) ?? "activated";
};

const tellAway = ({ name }: Target, active: string | null, isWanted: boolean): void => {
  if (active !== null)
    hint(
      escapeText(
        `The active environment (${active}) is not there on "${name}": name one with nx jobrc edit, or in .nexus.toml`,
      ),
    );
  else if (isWanted) hint(escapeText(`Nothing of this shell travels to "${name}", which is not your own server here`));
};

const readAsPythonDoes = (values: Environment): Environment => {
  const entries = values[IMPORTS] ? values[IMPORTS].split(":") : [];
  return entries.length === 0 ? values : { ...values, [IMPORTS]: entries.map((entry) => resolve(entry)).join(":") };
};

/** Null where nothing may travel; says so where an environment is active and the server is not the user's own on this machine. */
export const readCarried = async (flags: FlagValues, target: Target, mode: CarryMode): Promise<Carried | null> => {
  if (mode === "none") return null;
  const active = findActive(process.env);
  if (await isOwnServer(target)) return { values: readAsPythonDoes(selectCarried(process.env, mode)), active };
  tellAway(target, active, readText(flags, "carry") !== null);
  return null;
};

const placeFirst = (env: Environment, root: string, editable: readonly string[]): Environment => {
  const given = env[IMPORTS] ? env[IMPORTS].split(":") : [];
  const entries = given.map((entry) => (entry.startsWith("/") ? followBelow(root, entry) : entry));
  const all = [...editable, ...entries.filter((entry) => !editable.includes(entry))];
  return all.length === 0 ? env : { ...env, [IMPORTS]: all.join(":") };
};

const listNotes = (root: string, editable: readonly string[], active: string | null): readonly string[] => {
  if (editable.length === 0) return [];
  const folders = editable.map((folder) => relative(root, folder) || "its top folder").join(", ");
  const unsent = findUnsentModules(root, editable);
  return [
    `This code is installed as editable in ${active}: the job imports what was sent of it (${folders})`,
    ...(unsent.length === 0
      ? []
      : [
          `Warning: git ignores ${unsent.join(", ")}, so the job can't import it; git add -f sends it, or build it in the job`,
        ]),
  ];
};

/** The fields of a request that gets `env`, with code of the folder `root`; and what is to be said of it. */
export const describeCarried = (
  env: Environment,
  { values, active }: Carried,
  root: string | null,
): Readonly<{ fields: VariableFields; notes: readonly string[] }> => {
  if (root === null) return { fields: { env, carried_names: listCarried(env, env, values) }, notes: [] };
  const editable = active === null ? [] : findEditable(active, root);
  const placed = placeFirst(env, root, editable);
  const fields = { env: placed, carried_names: listCarried(placed, env, values), code_root: root };
  return { fields, notes: listNotes(root, editable, active).map(escapeText) };
};

const listCarried = (placed: Environment, given: Environment, values: Environment): string[] =>
  Object.keys(placed).filter((name) => given[name] === undefined || given[name] === values[name]);
