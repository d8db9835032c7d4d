import type { Health } from "../../shared/node.ts";
import { connect } from "../connect.ts";
import { readSwitch } from "../flag-values.ts";
import { print, printJson } from "../output.ts";
import { DONE, type Invocation, type Outcome, type Verb } from "../verb.ts";

const GIB = 1024 ** 3;

const show = ({ status, score, disk, system }: Health): void => {
  print(`${status?.replace("_", " ") ?? "unknown"}${score === null ? "" : ` (${score.toFixed(0)} of 100)`}`);
  if (disk) print(`disk    ${disk.percent_used.toFixed(0)} % used, ${(disk.free / GIB).toFixed(1)} GiB free`);
  if (system)
    print(
      `cpu     ${system.cpu_percent.toFixed(0)} %, load ${system.load_avg.map((load) => load.toFixed(2)).join(" ")}`,
    );
  if (system) print(`memory  ${system.memory_percent.toFixed(0)} % used`);
};

const run = async ({ flags }: Invocation): Promise<Outcome> => {
  const api = await connect(flags);
  if (!api.ok) return api;
  const refresh = readSwitch(flags, "refresh") ? "&refresh=true" : "";
  const health = await api.value.get<Health>(`/v1/health?detailed=true${refresh}`);
  if (!health.ok) return health;
  if (readSwitch(flags, "json")) printJson(health.value);
  else show(health.value);
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
