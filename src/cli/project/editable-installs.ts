import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";

import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runGit, splitNames } from "../code/run-git.ts";
import { locateHome } from "../settings/config-file.ts";

type Find = (site: string, name: string) => readonly string[];

const CODE_LINE = /^(?:import[ \t]|#|\s*$)/;
const FINDER = /^__editable___.+_finder\.py$/;
const TABLE = /^(?:MAPPING|NAMESPACES)\b[^=\n]*= *(\{.*\})$/gm;
const LITERAL = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g;
const ESCAPED = /\\(.)/g;

const listNames = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const listLiterals = (table: string): readonly string[] =>
  [...table.matchAll(LITERAL)].map(([, single, double]) => (single ?? double ?? "").replace(ESCAPED, "$1"));

const findAbove = (module: string, path: string): readonly string[] => {
  const parts = module.split(".");
  const above = parts.reduceRight((place, part) => (basename(place) === part ? dirname(place) : ""), path);
  return above === "" ? [] : [above];
};

const readTable = (table: string): readonly string[] => {
  let module = "";
  return listLiterals(table).flatMap((literal) => {
    if (isAbsolute(literal)) return findAbove(module, literal);
    module = literal;
    return [];
  });
};

const readProject = (text: string): readonly string[] => {
  try {
    const { url, dir_info } = JSON.parse(text) as { url?: unknown; dir_info?: { editable?: unknown } };
    return dir_info?.editable === true ? [fileURLToPath(String(url))] : [];
  } catch {
    return [];
  }
};

const readLines: Find = (site, name) =>
  readIfThere(join(site, name))
    .split(/\r?\n/)
    .filter((line) => !CODE_LINE.test(line))
    .map((line) => resolve(site, line.trimEnd()));

const FOLDERS: readonly (readonly [(name: string) => boolean, Find])[] = [
  [(name) => name.endsWith(".pth"), readLines],
  [(name) => name.endsWith(".egg-link"), (site, name) => readLines(site, name).slice(0, 1)],
  [
    (name) => FINDER.test(name),
    (site, name) => [...readIfThere(join(site, name)).matchAll(TABLE)].flatMap(([, table = ""]) => readTable(table)),
  ],
];

const seesUserSite = (environment: string): boolean => {
  const settings = readIfThere(join(environment, "pyvenv.cfg"));
  return settings === "" || /^include-system-site-packages *= *true$/im.test(settings);
};

const listSites = (environment: string): readonly string[] => {
  const roots = [environment, ...(seesUserSite(environment) ? [join(locateHome(), ".local")] : [])];
  const pythons = listNames(join(environment, "lib")).filter((name) => /^(?:python|pypy)3/.test(name));
  return roots.flatMap((root) => pythons.map((python) => join(root, "lib", python, "site-packages")));
};

const findReal = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
};

/** The same path, or where its links lead if that is below the folder. */
export const followBelow = (folder: string, path: string): string => {
  const real = findReal(path);
  return isBelow(folder, real) ? real : path;
};

const isBelow = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith("../");
};

const listFolders = (site: string, top: string): readonly string[] => {
  const names = listNames(site);
  const found = FOLDERS.flatMap(([isOne, find]) => names.filter(isOne).flatMap((name) => find(site, name)));
  return found.map(findReal).filter((folder) => isBelow(top, folder));
};

const guessFolders = (site: string, top: string, known: readonly string[]): readonly string[] =>
  listNames(site)
    .filter((name) => name.endsWith(".dist-info"))
    .flatMap((name) => readProject(readIfThere(join(site, name, "direct_url.json"))))
    .map(findReal)
    .filter((project) => isBelow(top, project) && !known.some((folder) => isBelow(project, folder)))
    .flatMap((project) => [join(project, "src"), project].filter((folder) => existsSync(folder)));

const KINDS = [["--cached"], ["--others", "--exclude-standard"]];

const travels = (top: string, folder: string): boolean =>
  KINDS.some((kind) => {
    const listed = runGit(top, ["--literal-pathspecs", "ls-files", ...kind, "--", folder]);
    return !listed.ok || listed.text !== "";
  });

/**
 * The folders of the code below `top` from which the environment imports what is installed in it as editable: those that a
 * `.pth`, an `.egg-link` or a finder of setuptools names, else the project and its `src`; not what lies in the environment.
 */
export const findEditable = (environment: string, top: string): readonly string[] => {
  const own = findReal(environment);
  const found = listSites(environment).flatMap((site) => {
    const named = listFolders(site, top).filter((folder) => !isBelow(own, folder));
    return [...named, ...guessFolders(site, top, named)];
  });
  return [...new Set(found)].filter((folder) => travels(top, folder));
};

/** The compiled modules in those folders that git ignores, so that they do not travel, below `top`. */
export const findUnsentModules = (top: string, folders: readonly string[]): readonly string[] => {
  const words = [
    "--literal-pathspecs",
    "ls-files",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
    "-z",
    "--",
    ...folders,
  ];
  return folders.length === 0 ? [] : splitNames(runGit(top, words).text).filter((name) => name.endsWith(".so"));
};
