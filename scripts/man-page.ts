import type { Flag, Verb } from "../src/command-line/command.ts";
import { GLOBAL_FLAGS } from "../src/command-line/parse-words.ts";

type Entry = readonly [string, string];

const escapeLine = (line: string): string =>
  line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");

const escapeRoff = (text: string): string => text.split("\n").map(escapeLine).join("\n");

const renderEntry = ([term, text]: Entry): string => `.TP\n.B ${escapeRoff(term)}\n${escapeRoff(text)}`;

const renderExample = (lines: readonly string[]): string => `.PP\n.EX\n${lines.map(escapeRoff).join("\n")}\n.EE`;

const renderFlag = ({ long, short, value, help }: Flag): string =>
  renderEntry([`${short === undefined ? "" : `-${short}, `}--${long}${value === undefined ? "" : ` ${value}`}`, help]);

const renderVerb = ({ usage, summary, flags, examples }: Verb): string =>
  [
    `.SS ${escapeRoff(usage)}`,
    `${escapeRoff(summary[0]?.toUpperCase() ?? "")}${escapeRoff(summary.slice(1))}.`,
    ...flags.map(renderFlag),
    renderExample(examples),
  ].join("\n");

const renderHead = (name: string, version: string): string =>
  `.TH ${name.toUpperCase()} 1 "" "Nexus ${version}" "User Commands"`;

const EXIT_CODES: readonly Entry[] = [
  ["0", "done"],
  ["1", "it failed; one line says why"],
  ["2", "wrong usage, or a question that can't be asked without a terminal"],
  ["3", "the server can't be reached"],
  ["4", "the server refused"],
  ["130", "interrupted by Ctrl-C; a job that was followed goes on"],
  ["other", "run, logs -F and wait: the job's own (143 for a killed, 1 for a lost)"],
];

const VARIABLES: readonly Entry[] = [
  ["NEXUS_TARGET", "the server to talk to, as -t"],
  ["NEXUS_API_TOKEN", "the token for a remote target"],
  ["NEXUS_USER, NEXUS_AUTOSTART, NEXUS_DEFAULT_NOTIFICATIONS, …", "each setting of config.toml"],
  ["NS_PORT, NS_SERVER_DIR", "where the local server is"],
  ["VISUAL, EDITOR", "the editor of config, env and jobrc"],
  ["NO_COLOR, FORCE_COLOR", "no colours; colours in a pipe too"],
];

const FILES: readonly Entry[] = [
  ["~/.nexus/config.toml", "settings and targets"],
  ["~/.nexus/.env", "variables for all of your jobs"],
  ["~/.nexus/.jobrc", "what bash reads before each job"],
  ["~/.nexus/certificates", "the pinned certificates of targets"],
];

export const renderClientPage = (verbs: readonly Verb[], version: string): string =>
  `${[
    renderHead("nx", version),
    ".SH NAME\nnx \\- run jobs on the GPUs of a machine",
    ".SH SYNOPSIS\n.B nx\n[verb] [flags]",
    ".SH DESCRIPTION\nWithout a verb, nx shows GPUs, running jobs and the head of the queue.",
    ".SH VERBS",
    ...verbs.map(renderVerb),
    ".SH FLAGS OF EVERY VERB",
    ...GLOBAL_FLAGS.map(renderFlag),
    ".SH EXIT STATUS",
    ...EXIT_CODES.map(renderEntry),
    ".SH ENVIRONMENT",
    ...VARIABLES.map(renderEntry),
    ".SH FILES",
    ...FILES.map(renderEntry),
    ".SH SEE ALSO\n.BR nexus\\-server (1)",
  ].join("\n")}\n`;

const renderHelpLine = (line: string): string => {
  const [, term, text] = /^ {2}(\S.*?) {2,}(\S.*)$/.exec(line) ?? [];
  if (term !== undefined && text !== undefined) return renderEntry([term, text]);
  if (line.startsWith("  ")) return renderExample([line.trim()]);
  return line === "" ? "" : escapeRoff(line);
};

const renderSection = (block: string): string => {
  const [title = "", ...lines] = block.split("\n");
  const isSection = lines.length > 0 && lines.every((line) => line.startsWith("  "));
  if (!isSection) return `.PP\n${escapeRoff(block)}`;
  return `.SH ${escapeRoff(title.toUpperCase())}\n${lines.map(renderHelpLine).join("\n")}`;
};

/** Of a program whose help is a title line, then sections of lines that are set in by two blanks. */
export const renderHelpPage = (name: string, help: string, version: string): string => {
  const [title = "", ...blocks] = help.trim().split(/\n{2,}/);
  const about = title.slice(title.indexOf(": ") + 2);
  const sections = blocks.map(renderSection);
  return `${[renderHead(name, version), `.SH NAME\n${escapeRoff(name)} \\- ${escapeRoff(about)}`, ...sections, ".SH SEE ALSO\n.BR nx (1)"].join("\n")}\n`;
};
