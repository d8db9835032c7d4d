import { runCommand } from "../../../tools/run-command.ts";
import type { GpuHealth } from "../../../wire/node.ts";
import type { GpuProbe } from "../../core/queue/gpu.ts";

const TIMEOUT_MS = 4900;
const MAX_OUTPUT_BYTES = 65_536;
const MAX_AGE_S = 60;
const LINE = /^(\d{1,4}),\s*(.+?)\s*$/;
const UNKNOWN = /^(\[.*\]|N\/A|ERR!)$/;

const askField = async (command: string, field: string): Promise<ReadonlyMap<number, string>> => {
  const argv = [command, `--query-gpu=index,${field}`, "--format=csv,noheader,nounits"] as const;
  const output = await runCommand(argv, { timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES });
  const lines = output.ok && output.value.exitCode === 0 ? output.value.stdout.split("\n") : [];
  return new Map(
    lines.flatMap((line) => {
      const [, index, value] = LINE.exec(line) ?? [];
      return value === undefined || UNKNOWN.test(value) ? [] : [[Number(index), value] as const];
    }),
  );
};

const parseCount = (text: string | undefined): number | null =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : null;

const readErrors = async (gpus: GpuProbe, command: string) => {
  if (gpus.isMock) return { ecc: new Map<number, string>(), actions: new Map<number, string>() };
  const [ecc, actions] = await Promise.all([
    askField(command, "ecc.errors.uncorrected.volatile.total"),
    askField(command, "gpu_recovery_action"),
  ]);
  return { ecc, actions };
};

/** A field that an older driver does not know is null. Xid errors themselves are in the kernel's log only; the recovery action is what the driver asks for after one. */
export const createGpuHealth =
  (gpus: GpuProbe, command = "nvidia-smi"): (() => Promise<readonly GpuHealth[]>) =>
  async () => {
    const reading = await gpus.read(MAX_AGE_S);
    if (!reading.ok) throw new Error(reading.error.message);
    const { ecc, actions } = await readErrors(gpus, command);
    return reading.value.map(({ index, temperature }) => ({
      index,
      temperature,
      ecc_errors: parseCount(ecc.get(index)),
      recovery_action: actions.get(index) ?? null,
    }));
  };
