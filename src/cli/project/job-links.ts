import { existsSync } from "node:fs";
import { join } from "node:path";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { readList, readSwitch } from "../../command-line/flag-values.ts";
import { failUsage } from "../../command-line/usage.ts";
import { describeLinksMistake, type JobLink } from "../../wire/links/link-paths.ts";
import { isSameMachine } from "../connection/same-machine.ts";
import type { Target } from "../targets/target.ts";
import { readLinkText, type WantedLink } from "./link-text.ts";
import type { Project } from "./read-project.ts";

const refuse = (path: string, problem: string): Result<never, Failure> =>
  failUsage(escapeText(`${path} can't be linked: ${problem}`));

const readGiven = (flags: FlagValues, prefix: string): Result<readonly WantedLink[], Failure> => {
  const given: WantedLink[] = [];
  for (const text of readList(flags, "link")) {
    const link = readLinkText(text, prefix);
    if (!link.ok) return failUsage(escapeText(`--link ${text}: ${link.error.message}`));
    given.push(link.value);
  }
  return ok(given);
};

const listOfProject = ({ settings: { link = [] } }: Project): readonly WantedLink[] =>
  link.flatMap((text) => {
    const read = readLinkText(text);
    return read.ok ? [read.value] : [];
  });

type Server = Readonly<{ name: string; isSame: boolean }>;

const resolveLinks = (wanted: readonly WantedLink[], root: string, server: Server): Result<JobLink[], Failure> => {
  const { name, isSame } = server;
  const links: JobLink[] = [];
  for (const { path, target } of wanted) {
    const there = target ?? (isSame ? join(root, path) : null);
    if (there === null)
      return refuse(
        path,
        `the server of "${name}" does not see this folder; say where it is there with --link ${path}=/ABSOLUTE, or under [target.${name}] of .nexus.toml`,
      );
    if (isSame && !existsSync(there)) return refuse(path, `there is no ${there}`);
    links.push({ path, target: there });
  }
  return ok(links);
};

/** Those of `--link`, and of the usual ones each that has another path, unless `--no-link` leaves them out. */
export const chooseLinks = async (
  flags: FlagValues,
  { root, prefix }: Pick<Project, "root" | "prefix">,
  { usual, target }: Readonly<{ usual: readonly WantedLink[]; target: Target }>,
): Promise<Result<JobLink[], Failure>> => {
  const given = readGiven(flags, prefix);
  if (!given.ok) return given;
  const named = new Set(given.value.map(({ path }) => path));
  const others = readSwitch(flags, "no-link") ? [] : usual.filter(({ path }) => !named.has(path));
  const wanted = [...others, ...given.value];
  const mistake = describeLinksMistake(wanted.map(({ path }) => path));
  if (mistake !== null) return failUsage(escapeText(`--link: ${mistake}`));
  if (wanted.length === 0) return ok([]);
  return resolveLinks(wanted, root, { name: target.name, isSame: await isSameMachine(target) });
};

export const readLinks = (flags: FlagValues, project: Project, target: Target): Promise<Result<JobLink[], Failure>> =>
  chooseLinks(flags, project, { usual: listOfProject(project), target });
