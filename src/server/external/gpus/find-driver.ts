import { constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { err, ok, type Problem, type Result } from "../../../base/result.ts";
import { canAccess } from "../../../tools/can-access.ts";

export type Driver = Readonly<{ tool: "nvidia-smi" | "amd-smi" | "rocm-smi"; path: string }>;

/** Where devices and tools are looked for. */
export type DriverPlaces = Readonly<{ path: string; devices: string; wsl: string; rocm: string }>;

const TOOLS = ["nvidia-smi", "amd-smi", "rocm-smi"] as const;
const AMD_DEVICE = "kfd";
const NVIDIA_DEVICE = /^(nvidia.*|dxg)$/;

export const readPlaces = (): DriverPlaces => ({
  path: process.env["PATH"] ?? "",
  devices: "/dev",
  wsl: "/usr/lib/wsl/lib",
  rocm: "/opt/rocm/bin",
});

const listDevices = ({ devices }: DriverPlaces): readonly string[] => {
  try {
    return readdirSync(devices);
  } catch {
    return [];
  }
};

const listDrivers = ({ path, wsl, rocm }: DriverPlaces): readonly Driver[] => {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return TOOLS.flatMap((tool) =>
    [...folders, tool === "nvidia-smi" ? wsl : rocm].map((folder) => ({ tool, path: join(folder, tool) })),
  ).filter((driver) => canAccess(driver.path, constants.X_OK));
};

const hasAmdAlone = (devices: readonly string[]): boolean =>
  devices.includes(AMD_DEVICE) && !devices.some((name) => NVIDIA_DEVICE.test(name));

/** The tool that tells of the GPUs; NVIDIA's where there are both, unless only AMD's device is there. */
export const findDriver = (places: DriverPlaces): Result<Driver, Problem> => {
  const drivers = listDrivers(places);
  const devices = listDevices(places);
  const preferred = hasAmdAlone(devices) ? drivers.find(({ tool }) => tool !== "nvidia-smi") : undefined;
  const driver = preferred ?? drivers[0];
  if (driver !== undefined) return ok(driver);
  return devices.includes(AMD_DEVICE)
    ? err({
        message: "There is an AMD GPU (/dev/kfd), but neither amd-smi nor rocm-smi to ask for it: install one of them",
      })
    : err({ message: "The GPUs can't be read: there is no nvidia-smi, and neither amd-smi nor rocm-smi" });
};

/** Whether the machine has neither a GPU's device nor a tool of its driver. */
export const hasNoGpu = (places: DriverPlaces): boolean =>
  listDrivers(places).length === 0 &&
  !listDevices(places).some((name) => name === AMD_DEVICE || NVIDIA_DEVICE.test(name));

/** What keeps jobs from AMD's GPUs, in words, or null. */
export const findAmdObstacle = ({ devices }: DriverPlaces): string | null =>
  canAccess(join(devices, AMD_DEVICE), constants.R_OK | constants.W_OK)
    ? null
    : "jobs can't use the AMD GPUs: /dev/kfd is for the group render (sudo usermod -aG render USER, then start the server anew)";
