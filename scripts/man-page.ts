import type { Flag, Program, Verb } from "../src/command-line/command.ts";
import { explainFlag, loadVerbs, nameFlag } from "../src/command-line/help.ts";

type Entry = readonly [string, string];

/** What a manual page says that the program's help does not. */
export type Surroundings = Readonly<{
  description: string;
  exitCodes: readonly Entry[];
  variables: readonly Entry[];
  files: readonly Entry[];
  seeAlso: string;
}>;

const escapeLine = (line: string): string =>
  line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");

const escapeRoff = (text: string): string => text.split("\n").map(escapeLine).join("\n");

const renderEntry = ([term, text]: Entry): string => `.TP\n.B ${escapeRoff(term)}\n${escapeRoff(text)}`;

const renderExample = (lines: readonly string[]): string => `.PP\n.EX\n${lines.map(escapeRoff).join("\n")}\n.EE`;

const renderFlag = (flag: Flag): string => renderEntry([nameFlag(flag), explainFlag(flag)]);

const renderVerb = ({ usage, summary, flags, examples }: Verb): string =>
  [
    `.SS ${escapeRoff(usage)}`,
    `${escapeRoff(summary[0]?.toUpperCase() ?? "")}${escapeRoff(summary.slice(1))}.`,
    ...flags.map(renderFlag),
    renderExample(examples),
  ].join("\n");

const renderHead = (name: string, version: string): string =>
  `.TH ${name.toUpperCase()} 1 "" "Nexus ${version}" "User Commands"`;

export const renderPage = async (program: Program, version: string, about: Surroundings): Promise<string> => {
  const name = escapeRoff(program.name);
  const verbs = await loadVerbs(program);
  return `${[
    renderHead(program.name, version),
    `.SH NAME\n${name} \\- ${escapeRoff(program.summary)}`,
    `.SH SYNOPSIS\n.B ${name}\n[verb] [flags]`,
    `.SH DESCRIPTION\n${escapeRoff(about.description)}`,
    ".SH VERBS",
    ...verbs.map(renderVerb),
    ".SH FLAGS OF EVERY VERB",
    ...program.flags.map(renderFlag),
    ".SH EXIT STATUS",
    ...about.exitCodes.map(renderEntry),
    ".SH ENVIRONMENT",
    ...about.variables.map(renderEntry),
    ".SH FILES",
    ...about.files.map(renderEntry),
    `.SH SEE ALSO\n.BR ${escapeRoff(about.seeAlso)} (1)`,
  ].join("\n")}\n`;
};
