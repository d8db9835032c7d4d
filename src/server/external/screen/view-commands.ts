import type { Executor } from "../../core/running/executor.ts";
import type { ScreenHandle } from "./launch-session.ts";
import { findScreenFolder, nameExactly } from "./screen-folder.ts";

const callScreen = (serverDir: string, handle: ScreenHandle): readonly string[] => {
  const folder = Object.entries(findScreenFolder(serverDir, handle)).map(([name, value]) => `${name}=${value}`);
  return [...(folder.length === 0 ? [] : ["env", ...folder]), "screen"];
};

export const createViewCommands = (serverDir: string): Pick<Executor, "attachCommand" | "fitCommand"> => ({
  attachCommand: (handle) =>
    handle.kind === "screen" ? [...callScreen(serverDir, handle), "-U", "-x", nameExactly(handle)] : [],
  fitCommand: (handle, { columns, rows }) => {
    if (handle.kind !== "screen") return [];
    const [width, height] = [String(columns), String(rows)];
    return [...callScreen(serverDir, handle), "-S", nameExactly(handle), "-X", "width", "-w", width, height];
  },
});
