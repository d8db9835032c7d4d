import type { Health } from "../../wire/node.ts";

type Figure = Readonly<{ text: string; isBad: boolean }>;

const HIGH_PERCENT = 80;
const LONG_PING_MS = 100;
const SLOW_MBITS = 50;
const GIB = 1024 ** 3;

const describeDisk = ({ percent_used, free, place }: NonNullable<Health["disk"]>): Figure => ({
  text: `disk${place === "/" ? " /" : ""} ${percent_used.toFixed(0)} % used, ${(free / GIB).toFixed(1)} GiB free`,
  isBad: percent_used > HIGH_PERCENT,
});

const describeSystem = ({ cpu_percent, memory_percent }: NonNullable<Health["system"]>): readonly Figure[] => [
  { text: `cpu ${cpu_percent.toFixed(0)} % busy`, isBad: cpu_percent > HIGH_PERCENT },
  { text: `memory ${memory_percent.toFixed(0)} % used`, isBad: memory_percent > HIGH_PERCENT },
];

const describeNetwork = ({ ping, download_speed: speed }: NonNullable<Health["network"]>): readonly Figure[] => [
  ...(ping === null ? [] : [{ text: `ping ${ping.toFixed(0)} ms`, isBad: ping > LONG_PING_MS }]),
  ...(speed === null ? [] : [{ text: `download ${speed.toFixed(0)} Mbit/s`, isBad: speed < SLOW_MBITS }]),
];

const listFigures = ({ disk, network, system }: Health): readonly Figure[] => [
  ...(disk === null ? [] : [describeDisk(disk)]),
  ...(system === null ? [] : describeSystem(system)),
  ...(network === null ? [] : describeNetwork(network)),
];

/** With the figures that are to blame, or with all where none stands out. Null for a healthy machine. */
export const describeIllHealth = (health: Health): string | null => {
  if (health.status === null || health.status === "healthy") return null;
  const figures = listFigures(health);
  const bad = figures.filter(({ isBad }) => isBad);
  const reason = (bad.length > 0 ? bad : figures).map(({ text }) => text).join(", ");
  const score = health.score === null ? "" : ` (${health.score.toFixed(0)} of 100)`;
  return `the machine is ${health.status.replace("_", " ")}${score}: ${reason}`;
};
