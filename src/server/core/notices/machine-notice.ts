import type { HealthFigures } from "../machine/host.ts";

const GIB = 1024 ** 3;

/** The figures, a line each. */
export const describeMachine = (score: number, { disk, system, network }: HealthFigures): string =>
  [
    `Score: ${score.toFixed(0)} of 100`,
    disk === null
      ? ""
      : `Disk${disk.place === "/" ? " /" : ""}: ${disk.percent_used.toFixed(0)} % used, ${(disk.free / GIB).toFixed(1)} GiB free`,
    system === null ? "" : `Processor: ${system.cpu_percent.toFixed(0)} % busy`,
    system === null ? "" : `Memory: ${system.memory_percent.toFixed(0)} % used`,
    typeof network?.ping === "number" ? `Ping: ${network.ping.toFixed(0)} ms` : "",
  ]
    .filter((line) => line !== "")
    .join("\n");
