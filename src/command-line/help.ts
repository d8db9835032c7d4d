import type { Flag, Program, Verb } from "./command.ts";

const WIDTH = 80;
const INDENT = 2;
const FLAG_WIDTH = 26;
const GAP = 2;

const wrapText = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
};

const renderEntry = (name: string, about: string, width: number): string =>
  `  ${name.padEnd(width)}${wrapText(about, WIDTH - INDENT - width).join(`\n${" ".repeat(INDENT + width)}`)}`;

const renderSection = (title: string, lines: readonly string[]): string => `${title}\n${lines.join("\n")}`;

/** `-n, --lines N`, with the value in brackets where it may be left out. */
export const nameFlag = ({ long, short, value, bare }: Flag): string => {
  const shown = value === undefined ? "" : bare === undefined ? ` ${value}` : ` [${value}]`;
  return `${short === undefined ? "" : `-${short}, `}--${long}${shown}`;
};

export const explainFlag = ({ help, default: usual }: Flag): string =>
  usual === undefined ? help : `${help} (default: ${usual})`;

const renderFlag = (flag: Flag): string =>
  renderEntry(`${flag.short === undefined ? "    " : ""}${nameFlag(flag)}`, explainFlag(flag), FLAG_WIDTH);

const renderFlags = (flags: readonly Flag[]): string => renderSection("Flags", flags.map(renderFlag));

const renderExamples = (examples: readonly string[]): string =>
  renderSection(
    "Examples",
    examples.map((example) => `  ${example}`),
  );

export const renderVerbHelp = ({ usage, summary, flags, examples }: Verb, program: Program): string =>
  [`${usage}\n\n  ${summary}`, renderFlags([...flags, ...program.flags]), renderExamples(examples)].join("\n\n");

/** All verbs in the order of help, the one without a word first. */
export const loadVerbs = async ({ withoutVerb, verbs }: Program): Promise<readonly Verb[]> => {
  const modules = await Promise.all([withoutVerb(), ...Object.values(verbs).map((load) => load())]);
  return [...new Set(modules.map(({ verb }) => verb))];
};

export const renderHelp = async (program: Program): Promise<string> => {
  const { name, summary, flags, examples, note } = program;
  const [bare, ...verbs] = await loadVerbs(program);
  const width = Math.max(...Object.keys(program.verbs).map((verb) => verb.length)) + GAP;
  const rows = [
    renderEntry("", bare?.summary ?? "", width),
    ...verbs.map((verb) => renderEntry(verb.name, verb.summary, width)),
  ];
  return [
    `${name}: ${summary}`,
    renderSection(`${name} [verb] [flags]`, rows),
    renderFlags([...(bare?.flags ?? []), ...flags]),
    renderExamples(examples),
    ...(note === undefined ? [] : [note]),
    `${name} help VERB tells all about a verb.`,
  ].join("\n\n");
};
