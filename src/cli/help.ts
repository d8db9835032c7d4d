import { VERBS } from "./verb-table.ts";

const VERB_WIDTH = 11;

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
