import type { OwnNames, OwnTraces } from "../core/machine/own-traces.ts";
import type { InstallStep, UninstallOptions } from "./plan.ts";

/** In the order in which they are done: the server is stopped before anything is looked at again and deleted. */
export type PersonalPlan = Readonly<{ stop: readonly InstallStep[]; rest: readonly InstallStep[] }>;

const SETTINGS = "config.toml";

const tell = (text: string): InstallStep => ({ kind: "hint", text });

const isThere = ({ names }: OwnNames): boolean => names.length > 0;

/** Whether nothing of a server, nor of `nx`, is there. */
export const isTraceless = ({ state, settings, completion, lines }: OwnTraces): boolean =>
  ![state, settings, ...completion].some(isThere) && lines.length === 0;

const planStop = ({ pid, state: { folder } }: OwnTraces): readonly InstallStep[] =>
  pid === null ? [tell(`No server runs on ${folder}`)] : [{ kind: "stop", pid, serverDir: folder }];

const describeNames = ({ folder, names }: OwnNames, what: string): string =>
  `  in ${folder}, ${what}: ${names.join(", ")}`;

const describeStay = ({ state, settings, completion, lines }: OwnTraces): readonly string[] => [
  ...[state].filter(isThere).map(({ folder }) => `  ${folder}, with the server's jobs, logs and settings`),
  ...[settings].filter(isThere).map((names) => describeNames(names, "what is yours in nx, tokens and variables too")),
  ...completion.map((names) => describeNames(names, "for completion")),
  ...lines.map(({ path, lines: { length } }) => `  in ${path}, ${length === 1 ? "a line" : `${length} lines`}`),
];

const describePrograms = ({ programs: [first, ...links] }: OwnTraces): string =>
  `The programs stay: ${[first, ...links].join(", ")}`;

const planKeeping = (traces: OwnTraces): readonly InstallStep[] =>
  [
    "What stays:",
    ...describeStay(traces),
    "nexus-server uninstall --delete-data deletes all of that.",
    `${describePrograms(traces)}.`,
    "nx starts a server again when it needs one, unless ~/.nexus/config.toml says autostart = false.",
  ].map(tell);

const planDeletion = (traces: OwnTraces, keepConfig: boolean): readonly InstallStep[] => {
  const { state, settings, completion, lines, foreign } = traces;
  const kept = state.names.filter((name) => keepConfig && name === SETTINGS);
  const ownState = { ...state, names: state.names.filter((name) => !kept.includes(name)) };
  const cleared = [ownState, ...(keepConfig ? [] : [settings]), ...completion].filter(isThere);
  const emptied = [state, settings].filter(({ folder }) => cleared.some((names) => names.folder === folder));
  return [
    ...lines.map((found): InstallStep => ({ kind: "cut", ...found })),
    ...cleared.map((names): InstallStep => ({ kind: "clear", ...names })),
    ...emptied.map(({ folder }): InstallStep => ({ kind: "rmdir", path: folder })),
    ...(foreign.length === 0 ? [] : [tell(`Not of Nexus, so it stays: ${foreign.join(", ")}`)]),
    tell(`${describePrograms(traces)}.`),
  ];
};

/** Its state stays unless it is to be deleted, and what is not its own in any case. */
export const planPersonal = (
  traces: OwnTraces,
  { keepConfig, deleteData }: Pick<UninstallOptions, "keepConfig" | "deleteData">,
): PersonalPlan => ({
  stop: planStop(traces),
  rest: deleteData ? planDeletion(traces, keepConfig) : planKeeping(traces),
});
