import { escapeText } from "../../base/escape-text.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../../command-line/command.ts";
import { readSwitch } from "../../command-line/flag-values.ts";
import type { GpuHealth, Health } from "../../wire/node.ts";
import { connect } from "../connection/connect.ts";
import { warnOfTrouble } from "../jobs/halt-text.ts";
import { formatScore, listHealthWarnings, nameHealth } from "../jobs/health-text.ts";
import { hint, print, printJson } from "../terminal/output.ts";

const GIB = 1024 ** 3;
const NAME_WIDTH = 8;

const describeNetwork = ({ ping, download_speed, upload_speed }: NonNullable<Health["network"]>): string =>
  [
    ping === null ? "" : `ping ${ping.toFixed(0)} ms`,
    download_speed === null ? "" : `download ${download_speed.toFixed(1)} Mbit/s`,
    upload_speed === null ? "" : `upload ${upload_speed.toFixed(1)} Mbit/s`,
  ]
    .filter((part) => part !== "")
    .join(", ");

const describeGpu = ({ temperature, ecc_errors, recovery_action, fault }: GpuHealth): string =>
  [
    fault ? `out of order: ${escapeText(fault)}` : "",
    temperature === null ? "" : `${temperature} °C`,
    ecc_errors === null ? "" : `${ecc_errors} uncorrected ECC errors`,
    recovery_action === null || recovery_action === "None" ? "" : `needs: ${escapeText(recovery_action)}`,
  ]
    .filter((part) => part !== "")
    .join(", ");

const describeDisk = ({ percent_used, free, place }: NonNullable<Health["disk"]>): string =>
  `${percent_used.toFixed(0)} % used, ${(free / GIB).toFixed(1)} GiB free${place === "/" ? " (/)" : ""}`;

const describeProcessor = ({ cpu_percent, load_avg }: NonNullable<Health["system"]>): string =>
  `${cpu_percent.toFixed(0)} %, load ${load_avg.map((load) => load.toFixed(2)).join(" ")}`;

const listLines = ({ disk, network, system, gpus }: Health): readonly (readonly [string, string])[] => [
  ...(disk ? [["disk", describeDisk(disk)] as const] : []),
  ...(system ? [["cpu", describeProcessor(system)] as const] : []),
  ...(system ? [["memory", `${system.memory_percent.toFixed(0)} % used`] as const] : []),
  ...(network ? [["network", describeNetwork(network)] as const] : []),
  ...(gpus ?? []).map((gpu) => [`gpu ${gpu.index}`, describeGpu(gpu)] as const),
];

const show = (health: Health): void => {
  print(nameHealth(health) + formatScore(health));
  for (const [name, text] of listLines(health)) if (text !== "") print(`${name.padEnd(NAME_WIDTH)}${text}`);
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const refresh = readSwitch(flags, "refresh") ? "&refresh=true" : "";
  const health = await api.value.get<Health>(`/v1/health?detailed=true${refresh}`);
  if (!health.ok) return health;
  if (readSwitch(flags, "json")) printJson(health.value);
  else {
    show(health.value);
    for (const warning of listHealthWarnings(health.value)) hint(`Warning: ${warning}`);
    await warnOfTrouble(api.value);
  }
  return DONE;
};

export const verb: Verb = {
  name: "health",
  usage: "nx health [-r]",
  summary: "how the machine is",
  flags: [
    { long: "refresh", short: "r", help: "measure now" },
    { long: "json", help: "as JSON" },
  ],
  maxWords: 0,
  examples: ["nx health -r"],
  run,
};
