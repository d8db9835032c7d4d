import type { Answer, Tool } from "../support/driver.ts";
import type { Case } from "./nvidia-answers.ts";

type Tree = Readonly<Record<string, unknown>>;

const NONE_FREE = "It needs 1 GPU, and none is free";
const FREE = "available";
const IDLE = [{ process_info: "No running processes detected" }];

const json = (value: unknown): Answer => ({ stdout: `${JSON.stringify(value, null, 4)}\n` });

const unit = (value: unknown, name: string): Tree => ({ value, unit: name });

const card = (gpu: number, used = 283, load = 0): Tree => ({
  gpu,
  usage: { gfx_activity: unit(load, "%"), umc_activity: unit(0, "%"), mm_activity: "N/A" },
  power: { socket_power: unit(131, "W") },
  temperature: { edge: "N/A", hotspot: unit(36, "C"), mem: unit(30, "C") },
  mem_usage: { total_vram: unit(196_288, "MB"), used_vram: unit(used, "MB"), free_vram: unit(196_288 - used, "MB") },
});

const worker = (pid: number, vram: number): Tree => ({
  process_info: {
    name: "python3",
    pid,
    mem_usage: unit(vram, "B"),
    usage: { gfx: unit(0, "ns"), enc: unit(0, "ns") },
    memory_usage: { gtt_mem: unit(0, "B"), cpu_mem: unit(0, "B"), vram_mem: unit(vram, "B") },
  },
});

type Machine = Readonly<{ cards: readonly Tree[]; processes?: readonly (readonly unknown[])[]; wrap?: boolean }>;

const amdSmi =
  ({ cards, processes = [], wrap = false }: Machine): Tool =>
  (args) => {
    const list = (rows: readonly unknown[]): Answer => json(wrap ? { gpu_data: rows } : rows);
    if (args.startsWith("list"))
      return list(
        cards.map((_, gpu) => ({
          gpu,
          bdf: `0000:${gpu}c:00.0`,
          uuid: `a8ff74a1-0000-1000-80e9-${gpu}`,
          node_id: gpu + 2,
        })),
      );
    if (args.startsWith("static"))
      return list(cards.map((_, gpu) => ({ gpu, asic: { market_name: "AMD Instinct MI300X" } })));
    if (args.startsWith("metric")) return list(cards);
    return json(cards.map((_, gpu) => ({ gpu, process_list: processes[gpu] ?? IDLE })));
  };

const rocmCard = (fields: Tree = {}): Tree => ({
  "Temperature (Sensor edge) (C)": "35.0",
  "Average Graphics Package Power (W)": "9.0",
  "GPU use (%)": "0",
  "VRAM Total Memory (B)": "17163091968",
  "VRAM Total Used Memory (B)": "11526144",
  "Unique ID": "0x1fe6e3a0b6e3a20",
  "Card Series": "AMD Radeon VII",
  ...fields,
});

const rocmSmi =
  (cards: readonly Tree[], pids = "No KFD PIDs currently running"): Tool =>
  (args) =>
    args.includes("--showpidgpus")
      ? { stdout: `\n=== ROCm System Management Interface ===\n${pids}\n=== End of ROCm SMI Log ===\n` }
      : json(Object.fromEntries(cards.map((fields, index) => [`card${index}`, fields])));

const unreadable = (path: string, said: string, exitCode: number): Pick<Case, "error" | "nx" | "starts" | "why"> => {
  const error = `${path} failed with exit code ${exitCode}: ${said}`;
  return { error, nx: [], starts: [], why: `No GPU job can start: ${error}` };
};

export const AMD_SMI_CASES: readonly Case[] = [
  {
    name: "amd-smi: two idle GPUs",
    tool: amdSmi({ cards: [card(0), card(1)] }),
    nx: [FREE, FREE],
    starts: [0, 1],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it; GPU 1 goes to job b of ann, which starts before it`,
  },
  {
    name: "amd-smi: a process, listed under both by an older version",
    tool: amdSmi({ cards: [card(0), card(1)], processes: [[worker(77, 4_000_000)], [worker(77, 0)]] }),
    nx: ["in use by others", FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is used by process 77; GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "amd-smi: processes that the caller may not see",
    tool: amdSmi({ cards: [card(0, 150_000, 100), card(1)], wrap: true }),
    nx: ["in use by others (process not visible)", FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is in use by others (process not visible): 150000 MiB of its memory are taken, and 1307 are allowed; GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "amd-smi: a GPU whose memory can't be read",
    tool: amdSmi({ cards: [{ gpu: 0, mem_usage: { total_vram: "N/A", used_vram: "N/A" } }, card(1)] }),
    nx: ["out of order: its memory can't be read", FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is out of order (its memory can't be read); GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "amd-smi: no list of processes",
    tool: (args) => (args.startsWith("process") ? { exitCode: 10 } : amdSmi({ cards: [card(0)] })(args)),
    nx: ["out of order: its processes can't be listed"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (its processes can't be listed)`,
  },
  {
    name: "amd-smi: no driver",
    tool: () => ({ stderr: "ERROR: Driver not loaded (amdgpu not found in modules)\n", exitCode: 255 }),
    ...unreadable("/driver/amd-smi", "ERROR: Driver not loaded (amdgpu not found in modules)", 255),
  },
];

export const ROCM_SMI_CASES: readonly Case[] = [
  {
    name: "rocm-smi: two idle cards",
    tool: rocmSmi([rocmCard(), rocmCard({ "Unique ID": "N/A" })]),
    nx: [FREE, FREE],
    starts: [0, 1],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it; GPU 1 goes to job b of ann, which starts before it`,
  },
  {
    name: "rocm-smi: a process on the second card",
    tool: rocmSmi([rocmCard(), rocmCard()], "PID 4242 is using 1 DRM device(s):\n1 "),
    nx: [FREE, "in use by others"],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it; GPU 1 is used by process 4242`,
  },
  {
    name: "rocm-smi: a card that has crashed",
    tool: rocmSmi([
      rocmCard({ "VRAM Total Memory (B)": "N/A", "VRAM Total Used Memory (B)": "N/A", "GPU use (%)": "N/A" }),
    ]),
    nx: ["out of order: its memory can't be read"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (its memory can't be read)`,
  },
  {
    name: "rocm-smi: a warning before the answer",
    tool: (args) => {
      const answer = rocmSmi([rocmCard()])(args);
      return typeof answer === "object"
        ? { ...answer, stdout: `WARNING: No JSON data to report\n${answer.stdout}` }
        : answer;
    },
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "rocm-smi: no driver",
    tool: () => ({ stdout: "ERROR:root:Driver not initialized (amdgpu not found in modules)\n", exitCode: 2 }),
    ...unreadable("/driver/rocm-smi", "ERROR:root:Driver not initialized (amdgpu not found in modules)", 2),
  },
];
