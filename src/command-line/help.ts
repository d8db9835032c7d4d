import type { Flag, Verb } from "./command.ts";
import { GLOBAL_FLAGS } from "./parse-words.ts";

const FLAG_WIDTH = 26;

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
