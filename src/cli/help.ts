import { GLOBAL_FLAGS } from "./parse-words.ts";
import type { Flag, Verb } from "./verb.ts";
import { VERBS } from "./verb-table.ts";

const FLAG_WIDTH = 26;
const VERB_WIDTH = 11;

const renderFlag = ({ long, short, value, help }: Flag): string => {
  const name = `${short === undefined ? "    " : `-${short}, `}--${long}${value === undefined ? "" : ` ${value}`}`;
  return `  ${name.padEnd(FLAG_WIDTH)}${help}`;
};

export const renderVerbHelp = (verb: Verb): string =>
  [
    `${verb.usage}\n\n  ${verb.summary}`,
    `Flags\n${[...verb.flags, ...GLOBAL_FLAGS].map(renderFlag).join("\n")}`,
    `Examples\n${verb.examples.map((example) => `  ${example}`).join("\n")}`,
  ].join("\n\n");

export const renderHelp = async (): Promise<string> => {
  const verbs = await Promise.all(
    Object.entries(VERBS).map(async ([name, load]) => [name, (await load()).verb] as const),
  );
  const lines = verbs.map(([name, verb]) => `  ${(name === "status" ? "" : name).padEnd(VERB_WIDTH)}${verb.summary}`);
  return [
    "nx: run jobs on the GPUs of a machine",
    `nx [verb] [flags]\n${lines.join("\n")}`,
    "Example\n  nx run python3 train.py",
    "nx help VERB tells all about a verb.",
  ].join("\n\n");
};
