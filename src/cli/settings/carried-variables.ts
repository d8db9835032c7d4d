import { isOfItsPlace } from "../../base/own-variables.ts";
import type { CARRY_MODES } from "./settings.ts";

export type CarryMode = (typeof CARRY_MODES)[number];

type Environment = Readonly<Record<string, string>>;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const OF_AN_ENVIRONMENT = /^(?:PATH|VIRTUAL_ENV|CONDA_.*|PYTHONPATH|LD_LIBRARY_PATH)$/;

const findPlace = (folder: string, path: string): number => {
  const place = path.split(":").indexOf(`${folder}/bin`);
  return place === -1 ? Number.MAX_SAFE_INTEGER : place;
};

/** The folder of the virtual or conda environment that is active; of two the one whose programs come first. */
export const findActive = ({ VIRTUAL_ENV, CONDA_PREFIX, PATH = "" }: NodeJS.ProcessEnv): string | null =>
  [VIRTUAL_ENV, CONDA_PREFIX]
    .flatMap((folder) => (folder ? [folder] : []))
    .toSorted((a, b) => findPlace(a, PATH) - findPlace(b, PATH))[0] ?? null;

/** Whether a variable travels with an active environment. */
export const isOfEnvironment = (name: string): boolean => OF_AN_ENVIRONMENT.test(name);

const isCarried = (name: string, mode: CarryMode): boolean =>
  VARIABLE_NAME.test(name) && !isOfItsPlace(name) && (mode === "all" || isOfEnvironment(name));

/** What of the variables of a shell a job gets. */
export const selectCarried = (variables: NodeJS.ProcessEnv, mode: CarryMode): Environment => {
  if (mode === "none" || (mode === "activated" && findActive(variables) === null)) return {};
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value !== undefined && isCarried(name, mode) ? [[name, value]] : [],
    ),
  );
};
