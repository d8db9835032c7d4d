import type { Answer, Tool } from "../support/driver.ts";

/** What a driver's tool says on a machine, and what comes of it: what `nx` shows of each GPU, on which jobs for one GPU start, why the next one waits. */
export type Case = Readonly<{
  name: string;
  tool: Tool;
  error?: string;
  nx: readonly string[];
  starts: readonly number[];
  why: string;
}>;

type Parts = Readonly<{
  gpus: readonly string[];
  apps?: readonly string[];
  list?: readonly string[];
  details?: readonly string[];
  action?: readonly string[];
  errors?: readonly string[];
  exitCode?: number;
}>;

const H100 = "NVIDIA H100 80GB HBM3";
const LOST_HANDLE = "Unable to determine the device handle for GPU0000:17:00.0: Unknown Error";
const GONE =
  "Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU";
const NONE_FREE = "It needs 1 GPU, and none is free";

export const uuid = (index: number): string => `GPU-00000000-1111-2222-3333-${String(index).padStart(12, "0")}`;

const row = (index: number, figures = "81559, 4, 0, 31, 69.94", { id = uuid(index), model = H100 } = {}): string =>
  `${index}, ${id}, ${model}, ${figures}`;

const refuse = (field: string): Answer => ({
  stdout: `Field "${field}" is not a valid field to query.\n`,
  exitCode: 2,
});

const print = (lines: readonly string[] | undefined, exitCode = 0): Answer => ({
  stdout: (lines ?? []).map((line) => `${line}\n`).join(""),
  exitCode,
});

const printOrRefuse = (lines: readonly string[] | undefined, field: string, exitCode: number): Answer =>
  lines === undefined ? refuse(field) : print(lines, exitCode);

const smi =
  ({ gpus, apps, list, details, action, errors, exitCode = 0 }: Parts): Tool =>
  (args) => {
    if (args.startsWith("--query-gpu=index,uuid")) return print(gpus, exitCode);
    if (args.startsWith("--query-compute-apps")) return print(apps, exitCode);
    if (args.startsWith("-L")) return print(list, exitCode);
    if (args.startsWith("-q -x")) return print(details, exitCode);
    return args.startsWith("--query-gpu=index,gpu_recovery_action")
      ? printOrRefuse(action, "gpu_recovery_action", exitCode)
      : printOrRefuse(errors, "remapped_rows.pending", exitCode);
  };

const oneByOne =
  (list: readonly string[], well: readonly number[], said = LOST_HANDLE): Tool =>
  (args) => {
    if (args.startsWith("-L")) return print(list);
    const index = well.find((one) => args.endsWith(`-i ${uuid(one)}`));
    if (index === undefined) return print([said], 255);
    if (args.startsWith("--query-gpu=index,uuid")) return print([row(index)]);
    return args.startsWith("--query-compute-apps") ? print([]) : refuse("x");
  };

const dead = (said: string, exitCode: number): Pick<Case, "tool" | "error" | "nx" | "starts" | "why"> => {
  const error = `nvidia-smi failed with exit code ${exitCode}: ${said}`;
  return { tool: () => print([said], exitCode), error, nx: [], starts: [], why: `No GPU job can start: ${error}` };
};

const listed = (...indexes: readonly number[]): readonly string[] =>
  indexes.map((index) => `GPU ${index}: ${H100} (UUID: ${uuid(index)})`);

const mig = (index: number, profile: string): string =>
  `  MIG ${profile}     Device  ${index}: (UUID: MIG-63feeb45-94c6-5b7b-bc0b-2e6a3a8a000${index})`;

const cut = (index: number, gpuInstance: number): string =>
  `<mig_device><index>${index}</index><gpu_instance_id>${gpuInstance}</gpu_instance_id><compute_instance_id>0</compute_instance_id>
   <fb_memory_usage><total>9856 MiB</total><reserved>0 MiB</reserved><used>13 MiB</used><free>9843 MiB</free></fb_memory_usage></mig_device>`;

const inInstance = (gpuInstance: number, pid: number, mib: number): string =>
  `<process_info><gpu_instance_id>${gpuInstance}</gpu_instance_id><compute_instance_id>0</compute_instance_id>
   <pid>${pid}</pid><type>C</type><process_name>python</process_name><used_memory>${mib} MiB</used_memory></process_info>`;

const describeMigs = (devices: readonly string[], processes: readonly string[]): readonly string[] => [
  '<?xml version="1.0" ?><nvidia_smi_log>',
  `<gpu id="00000000:07:00.0"><uuid>${uuid(0)}</uuid><mig_devices>${devices.join("")}</mig_devices>`,
  `<processes>${processes.join("")}</processes></gpu></nvidia_smi_log>`,
];

const allSay = (word: string): string => row(0, [word, word, word, word, word].join(", "), { id: word });

const describe16 = (): string =>
  Array.from({ length: 16 }, (_, index) =>
    index === 3
      ? "GPU 3 is used by process 9"
      : `GPU ${index} goes to job ${"abc-defghijklmno"[index]} of ann, which starts before it`,
  ).join("; ");

const FREE = "available";
const OTHERS = "in use by others (process not visible)";

/** Figures and words as nvidia-smi prints them; docs/gpus.md has where each was seen. */
export const NVIDIA_CASES: readonly Case[] = [
  {
    name: "two GPUs that are well",
    tool: smi({
      gpus: [row(0), row(1)],
      action: ["0, None", "1, None"],
      errors: ["0, 0, [N/A], No", "1, 0, [N/A], No"],
    }),
    nx: [FREE, FREE],
    starts: [0, 1],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it; GPU 1 goes to job b of ann, which starts before it`,
  },
  {
    name: "a GPU that is lost, in its figures",
    tool: smi({ gpus: [row(0, "81559, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]"), row(1)] }),
    nx: ["out of order: GPU is lost", FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is out of order (GPU is lost); GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "a GPU that is lost, in all that is said of it",
    tool: smi({ gpus: [allSay("[GPU is lost]"), row(1)] }),
    nx: ["out of order: GPU is lost", FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is out of order (GPU is lost); GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "an unknown error",
    tool: smi({ gpus: [allSay("[Unknown Error]")] }),
    nx: ["out of order: Unknown Error"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (Unknown Error)`,
  },
  {
    name: "a GPU that requires a reset, with its memory still told",
    tool: smi({ gpus: [row(0, "97887, 0, [GPU requires reset], [GPU requires reset], [N/A]")] }),
    nx: ["out of order: GPU requires reset"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (GPU requires reset)`,
  },
  {
    name: "ERR! for the load",
    tool: smi({ gpus: [row(0, "81559, 4, ERR!, 31, 69.94")] }),
    nx: ["out of order: ERR!"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (ERR!)`,
  },
  {
    name: "ERR! for the power alone, a sensor's",
    tool: smi({ gpus: [row(0, "81559, 4, 0, 31, ERR!"), row(1)] }),
    nx: ["last choice: its power draw reads ERR!", FREE],
    starts: [1, 0],
    why: `${NONE_FREE}: GPU 0 goes to job b of ann, which starts before it; GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "a recovery action",
    tool: smi({
      gpus: [row(0), row(1), row(2)],
      action: ["0, GPU Reset", "1, Drain and Reset", "2, None"],
      errors: [],
    }),
    nx: ["out of order: recovery action: GPU Reset", "out of order: recovery action: Drain and Reset", FREE],
    starts: [2],
    why: `${NONE_FREE}: GPU 0 is out of order (recovery action: GPU Reset); GPU 1 is out of order (recovery action: Drain and Reset); GPU 2 goes to job a of ann, which starts before it`,
  },
  {
    name: "uncorrectable errors under a driver that knows no recovery action",
    tool: smi({ gpus: [row(0), row(1)], errors: ["0, 3, [N/A], No", "1, 0, [N/A], No"] }),
    nx: ["out of order: uncorrectable ECC errors pending", FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is out of order (uncorrectable ECC errors pending); GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "errors after which the driver asks for nothing",
    tool: smi({ gpus: [row(0)], action: ["0, None"], errors: ["0, 3, [N/A], No"] }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "pages and rows that are to be retired",
    tool: smi({
      gpus: [row(0), row(1)],
      action: ["0, None", "1, None"],
      errors: ["0, 0, Yes, [N/A]", "1, 0, [N/A], Yes"],
    }),
    nx: ["out of order: uncorrectable ECC errors pending", "out of order: uncorrectable ECC errors pending"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (uncorrectable ECC errors pending); GPU 1 is out of order (uncorrectable ECC errors pending)`,
  },
  {
    name: "an old driver that knows none of the fields of health",
    tool: smi({ gpus: [row(0, "16160, 0, 0, 29, 24.70", { model: "Tesla V100-PCIE-16GB" })] }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "a driver that knows a part of them",
    tool: (args) => {
      if (args.includes("remapped_rows")) return refuse("remapped_rows.pending");
      return smi({ gpus: [row(0)], errors: ["0, 2, No"] })(args);
    },
    nx: ["out of order: uncorrectable ECC errors pending"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (uncorrectable ECC errors pending)`,
  },
  {
    name: "GB10, whose memory is the machine's",
    tool: smi({ gpus: [row(0, "[N/A], [N/A], 0, 35, 11.17", { model: "NVIDIA GB10" })], action: ["0, None"] }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "Jetson, of which nothing is told",
    tool: smi({
      gpus: [row(0, "[N/A], [N/A], [N/A], [N/A], [N/A]", { model: "Orin (nvgpu)" })],
      apps: ["[Not Supported]"],
      action: ["0, [N/A]"],
      errors: ["0, [N/A], [N/A], [N/A]"],
    }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "MIG, with a process in one of the devices",
    tool: smi({
      gpus: [row(0, "81559, 59, [N/A], 42, 71.15"), row(1, "81559, 59, [N/A], 42, 71.15")],
      apps: ["MIG-63feeb45-94c6-5b7b-bc0b-2e6a3a8a0000, 4242"],
      list: [
        ...listed(0),
        "  MIG 3g.40gb     Device  0: (UUID: MIG-63feeb45-94c6-5b7b-bc0b-2e6a3a8a0000)",
        ...listed(1),
      ],
    }),
    nx: [FREE, "in use by others"],
    starts: [1],
    why: `${NONE_FREE}: GPU 1 goes to job a of ann, which starts before it; GPU 2 is used by process 4242`,
  },
  {
    name: "MIG, with processes that are told only of the whole GPU, or by its instances",
    tool: smi({
      gpus: [row(0, "81559, 59, [N/A], 42, 71.15"), row(1)],
      apps: [`${uuid(0)}, 4242, 1200`, `${uuid(0)}, 4343, 100`],
      list: [...listed(0), mig(0, "1g.10gb"), mig(1, "1g.10gb"), mig(2, "3g.40gb"), ...listed(1)],
      details: describeMigs([cut(0, 7), cut(1, 8), cut(2, 1)], [inInstance(8, 4242, 1200)]),
    }),
    nx: [FREE, "in use by others", "in use by others", "in use by others"],
    starts: [1],
    why: `${NONE_FREE}: GPU 1 goes to job a of ann, which starts before it; GPU 2 is used by process 4343; GPU 3 is used by process 4242 and process 4343; GPU 4 is used by process 4343`,
  },
  {
    name: "WSL, whose processes have no number and whose memory is Windows' too",
    tool: smi({
      gpus: [
        row(0, "8192, 404, 7, 50, 12.00", { model: "NVIDIA GeForce RTX 2080 SUPER" }),
        row(1, "8192, 404, 2, 50, 12.00", { model: "NVIDIA GeForce RTX 2080 SUPER" }),
        row(2, "8192, 2048, 2, 50, 12.00", { model: "NVIDIA GeForce RTX 2080 SUPER" }),
      ],
      apps: [`${uuid(0)}, [Insufficient Permissions]`],
    }),
    nx: ["in use by others", FREE, OTHERS],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is used by a process that the driver does not name; GPU 1 goes to job a of ann, which starts before it; GPU 2 is in use by others (process not visible): 2048 MiB of its memory are taken, and 1428 are allowed`,
  },
  {
    name: "a virtual GPU, whose sensors are the host's",
    tool: smi({ gpus: [row(0, "8192, 560, 0, [N/A], [N/A]", { model: "NVIDIA A40-8Q" })], action: ["0, [N/A]"] }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "processes that are hidden, as in a container: seen by memory, and by load",
    tool: smi({ gpus: [row(0, "81559, 70010, 98, 63, 611.20"), row(1, "81559, 4, 98, 63, 300.00"), row(2)] }),
    nx: [OTHERS, OTHERS, FREE],
    starts: [2],
    why: `${NONE_FREE}: GPU 0 is in use by others (process not visible): 70010 MiB of its memory are taken, and 1028 are allowed; GPU 1 is in use by others (process not visible): it is 98 % busy; GPU 2 goes to job a of ann, which starts before it`,
  },
  {
    name: "16 GPUs",
    tool: smi({ gpus: Array.from({ length: 16 }, (_, index) => row(15 - index)), apps: [`${uuid(3)}, 9`] }),
    nx: Array.from({ length: 16 }, (_, index) => (index === 3 ? "in use by others" : FREE)),
    starts: [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    why: `${NONE_FREE}: ${describe16()}`,
  },
  {
    name: "a name with commas",
    tool: smi({ gpus: [row(0, undefined, { model: "Some, odd, name" })] }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "a wrong argument (exit code 2)",
    ...dead("Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.", 2),
  },
  { name: "no device (exit code 6)", ...dead("No devices were found", 6) },
  {
    name: "no driver (exit code 9)",
    ...dead(
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
      9,
    ),
  },
  {
    name: "a damaged infoROM (exit code 14)",
    tool: smi({ gpus: ["WARNING: infoROM is corrupted at gpu 0000:3B:00.0", row(0)], exitCode: 14 }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "a GPU off the bus (exit code 15), with the rows of the others",
    tool: (args) => {
      if (args.startsWith("-L")) return print([...listed(0), GONE], 15);
      if (args.startsWith("--query-gpu=index,uuid")) return print([row(0), GONE], 15);
      return args.startsWith("--query-compute-apps") ? print([]) : refuse("x");
    },
    nx: [FREE, `out of order: ${GONE}`],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it; GPU 1 is out of order (${GONE})`,
  },
  {
    name: "another version of the library (exit code 18)",
    ...dead("Failed to initialize NVML: Driver/library version mismatch", 18),
  },
  {
    name: "one GPU of three lost, for which everything fails (exit code 255)",
    tool: oneByOne([...listed(0), LOST_HANDLE, ...listed(2)], [0, 2]),
    nx: [FREE, `out of order: ${LOST_HANDLE}`, FREE],
    starts: [0, 2],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it; GPU 1 is out of order (${LOST_HANDLE}); GPU 2 goes to job b of ann, which starts before it`,
  },
  {
    name: "one that is listed, and lost when it is asked for",
    tool: oneByOne(listed(0, 1), [1]),
    nx: [`out of order: ${LOST_HANDLE}`, FREE],
    starts: [1],
    why: `${NONE_FREE}: GPU 0 is out of order (${LOST_HANDLE}); GPU 1 goes to job a of ann, which starts before it`,
  },
  {
    name: "all of them lost (exit code 255)",
    tool: oneByOne(listed(0, 1), []),
    nx: [`out of order: ${LOST_HANDLE}`, `out of order: ${LOST_HANDLE}`],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (${LOST_HANDLE}); GPU 1 is out of order (${LOST_HANDLE})`,
  },
  {
    name: "half an answer, cut off in a row (killed, exit code 137)",
    tool: (args) => {
      if (args.startsWith("-L")) return print(listed(0, 1));
      if (args.startsWith("--query-gpu=index,uuid") && args.includes("-i")) return print([]);
      return smi({ gpus: [row(0), `1, ${uuid(1)}, ${H100}, 815`], exitCode: 137 })(args);
    },
    nx: ["out of order: its processes can't be listed: it said nothing", "out of order: it said nothing"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (its processes can't be listed: it said nothing); GPU 1 is out of order (it said nothing)`,
  },
  {
    name: "half a row (exit code 0)",
    tool: smi({ gpus: [row(0), `1, ${uuid(1)}, ${H100}, 81559, 4`] }),
    nx: [FREE],
    starts: [0],
    why: `${NONE_FREE}: GPU 0 goes to job a of ann, which starts before it`,
  },
  {
    name: "figures that are missing",
    tool: smi({ gpus: [row(0, ", , , , ")] }),
    nx: ["out of order: a figure is missing"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (a figure is missing)`,
  },
  {
    name: "nothing at all",
    tool: () => ({}),
    error: "nvidia-smi names no GPU: it said nothing",
    nx: [],
    starts: [],
    why: "No GPU job can start: nvidia-smi names no GPU: it said nothing",
  },
  {
    name: "GPUs whose processes can't be listed",
    tool: (args) =>
      args.startsWith("--query-compute-apps") ? print(["Insufficient Permissions"], 4) : smi({ gpus: [row(0)] })(args),
    nx: ["out of order: its processes can't be listed: Insufficient Permissions"],
    starts: [],
    why: `${NONE_FREE}: GPU 0 is out of order (its processes can't be listed: Insufficient Permissions)`,
  },
  {
    name: "a call that hangs until it is killed",
    tool: () => "hang",
    error: "The GPUs can't be read: /driver/nvidia-smi did not answer within 30000 ms",
    nx: [],
    starts: [],
    why: "No GPU job can start: The GPUs can't be read: /driver/nvidia-smi did not answer within 30000 ms",
  },
  {
    name: "a call that hangs beyond that",
    tool: () => "stay",
    error: "The GPUs can't be read: /driver/nvidia-smi did not answer within 30000 ms",
    nx: [],
    starts: [],
    why: "No GPU job can start: The GPUs can't be read: /driver/nvidia-smi did not answer within 30000 ms",
  },
];
