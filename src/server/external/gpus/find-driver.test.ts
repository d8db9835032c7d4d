import { beforeEach, expect, onTestFinished, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DriverPlaces, findAmdObstacle, findDriver, hasNoGpu } from "./find-driver.ts";

let places: DriverPlaces;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "nexus-places-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  places = {
    path: `${join(folder, "bin")}::${join(folder, "missing")}`,
    devices: join(folder, "dev"),
    wsl: join(folder, "wsl"),
    rocm: join(folder, "rocm"),
  };
  for (const name of ["bin", "dev", "wsl", "rocm"]) mkdirSync(join(folder, name));
});

type Place = "bin" | "wsl" | "rocm";

const install = (tool: string, place: Place = "bin", mode = 0o755): void =>
  writeFileSync(join(place === "bin" ? (places.path.split(":")[0] ?? "") : places[place], tool), "", { mode });

const plug = (device: string): void => writeFileSync(join(places.devices, device), "");

const name = (): string => {
  const driver = findDriver(places);
  return driver.ok ? driver.value.tool : driver.error.message;
};

const NONE = "The GPUs can't be read: there is no nvidia-smi, and neither amd-smi nor rocm-smi";

test.each<[string, readonly [string, Place?][], readonly string[], string, boolean]>([
  ["no device and no tool", [], [], NONE, true],
  ["other devices", [], ["null", "dri"], NONE, true],
  ["nvidia-smi", [["nvidia-smi"]], [], "nvidia-smi", false],
  ["NVIDIA's device without its tool", [], ["nvidiactl"], NONE, false],
  ["WSL's device, and nvidia-smi where WSL puts it", [["nvidia-smi", "wsl"]], ["dxg"], "nvidia-smi", false],
  [
    "AMD's device without a tool",
    [],
    ["kfd"],
    "There is an AMD GPU (/dev/kfd), but neither amd-smi nor rocm-smi to ask for it: install one of them",
    false,
  ],
  ["AMD's tools", [["rocm-smi"], ["amd-smi"]], ["kfd"], "amd-smi", false],
  ["the older of AMD's tools, where ROCm puts it", [["rocm-smi", "rocm"]], ["kfd"], "rocm-smi", false],
  ["the tools of both, and devices of both", [["amd-smi"], ["nvidia-smi"]], ["kfd", "nvidia0"], "nvidia-smi", false],
  ["the tools of both, and AMD's device alone", [["amd-smi"], ["nvidia-smi"]], ["kfd"], "amd-smi", false],
])("with %s", (_what, tools, devices, found, isMockTaken) => {
  for (const [tool, place] of tools) install(tool, place);
  for (const device of devices) plug(device);
  expect([name(), hasNoGpu(places)]).toEqual([found, isMockTaken]);
});

test("a file that can't be run is no tool", () => {
  install("nvidia-smi", "bin", 0o644);
  expect([name(), hasNoGpu(places)]).toEqual([NONE, true]);
});

test("a device of AMD's that can't be opened is told with the group that may", () => {
  expect(findAmdObstacle(places)).toContain("usermod -aG render");
  plug("kfd");
  expect(findAmdObstacle(places)).toBeNull();
});
