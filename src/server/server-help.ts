import type { ServerFlag, ServerVerb } from "./server-verb.ts";

const FLAG_WIDTH = 18;
const USAGE_WIDTH = 35;

const describeFlag = ({ name, short, value, help }: ServerFlag): string => {
  const names = `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
  return `  ${names.padEnd(FLAG_WIDTH)}  ${help}\n`;
};

export const renderServerHelp = (
  verbs: Readonly<Record<string, ServerVerb>>,
  settings: readonly ServerFlag[],
): string => {
  const line = (usage: string, summary: string): string => `  ${usage.padEnd(USAGE_WIDTH)}  ${summary}\n`;
  const flags = [...settings, { name: "help", short: "h", help: "this text; after a verb, about it" }];
  return [
    "nexus-server: runs the jobs of this machine\n\nUsage\n",
    line("nexus-server [flags]", "run in the foreground"),
    ...Object.values(verbs).map(({ usage, summary }) => line(usage, summary)),
    "\nFlags\n",
    ...flags.map(describeFlag),
    "\nEvery setting can also be in config.toml in the server folder, or in NS_NAME.\n",
    "\nExample\n  nexus-server --mock-gpus 2 --port 0\n",
  ].join("");
};

export const renderServerVerbHelp = ({ usage, summary, flags }: ServerVerb): string =>
  [`${summary}\n\nUsage\n  ${usage}\n`, flags.length === 0 ? "" : "\nFlags\n", ...flags.map(describeFlag)].join("");
