import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import type { GpuReading } from "../../core/queue/gpu.ts";
import { type AmdFigures, askForJson, makeAmdGpu, readFigure, readMemory } from "./amd-gpu.ts";
import type { Ask } from "./driver-calls.ts";
import { quoteOutput } from "./nvidia-smi-output.ts";

type Card = Readonly<Record<string, unknown>>;
type Pids = ReadonlyMap<number, readonly number[]>;

const MIB_PER_BYTE = 1 / (1024 * 1024);
const UNIQUE_ID = /^0x([0-9a-f]{1,16})$/i;
const USES = /PID (\d{1,10}) is using \d+ DRM device\(s\):?/;
const INDEXES = /^[\s,\d]+$/;
const MOST_CARDS = 256;
const SHOW = ["productname", "uniqueid", "meminfo", "use", "temp", "power"] as const;

const pick = (card: Card, name: RegExp): unknown => Object.entries(card).find(([key]) => name.test(key))?.[1];

const pickText = (card: Card, name: RegExp): string | null => {
  const text = String(pick(card, name) ?? "").trim();
  return text === "" || text === "N/A" ? null : text;
};

const readCard = (index: number, card: Card): AmdFigures => {
  const id = UNIQUE_ID.exec(pickText(card, /^Unique ID$/i) ?? "")?.[1];
  const uuid = id === undefined || /^0+$/.test(id) ? null : `GPU-${id.toLowerCase().padStart(16, "0")}`;
  return {
    ...{ index, uuid, deviceId: uuid },
    name: pickText(card, /^Card series$/i) ?? pickText(card, /^Card model$/i),
    memoryTotal: readMemory(pick(card, /^VRAM Total Memory \(B\)$/i), MIB_PER_BYTE),
    memoryUsed: readMemory(pick(card, /^VRAM Total Used Memory \(B\)$/i), MIB_PER_BYTE),
    utilization: readFigure(pick(card, /^GPU use \(%\)$/i)),
    temperature: readFigure(pick(card, /^Temperature \(Sensor (edge|junction)\) \(C\)$/i)),
    powerDraw: readFigure(pick(card, /Graphics Package Power \(W\)$/i)),
  };
};

const listCards = (json: object): readonly AmdFigures[] =>
  Object.entries(json).flatMap(([name, card]) => {
    const index = /^card(\d{1,3})$/.exec(name)?.[1];
    const isCard = index !== undefined && Number(index) < MOST_CARDS && typeof card === "object" && card !== null;
    return isCard ? [readCard(Number(index), card)] : [];
  });

const listIndexes = (line: string | undefined): readonly number[] =>
  line !== undefined && INDEXES.test(line) ? (line.match(/\d{1,3}/g) ?? []).map(Number) : [];

const parsePids = (text: string): Pids => {
  const lines = text.split("\n");
  const uses = lines.flatMap((line, place) => {
    const pid = USES.exec(line)?.[1];
    return pid === undefined ? [] : listIndexes(lines[place + 1]).map((index) => ({ index, pid: Number(pid) }));
  });
  return new Map(
    [...Map.groupBy(uses, ({ index }) => index)].map(([index, all]) => [index, all.map(({ pid }) => pid)]),
  );
};

const readPids = async (ask: Ask, path: string): Promise<Result<Pids, Problem>> => {
  const output = await ask([path, "--showpidgpus"]);
  if (!output.ok) return output;
  const { stdout, stderr, exitCode } = output.value;
  return exitCode === 0 ? ok(parsePids(stdout)) : err({ message: quoteOutput(stderr, stdout) });
};

/** What `rocm-smi` at a path says of the GPUs. ROCr knows a GPU by its unique ID, where it has one. */
export const lookByRocmSmi = async (ask: Ask, path: string): Promise<GpuReading> => {
  const flags = SHOW.flatMap((what) => (what === "meminfo" ? ["--showmeminfo", "vram"] : [`--show${what}`]));
  const json = await askForJson(ask, [path, ...flags, "--json"]);
  if (!json.ok) return json;
  const cards = listCards(json.value);
  if (cards.length === 0) return err({ message: `${path} names no GPU` });
  const pids = await readPids(ask, path);
  const gpus = cards.map((card) => makeAmdGpu(card, pids.ok ? (pids.value.get(card.index) ?? []) : null));
  return ok(gpus.toSorted((a, b) => a.index - b.index));
};
