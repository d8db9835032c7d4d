import type { Executor } from "../../core/running/executor.ts";
import type { ScreenHandle } from "./launch-session.ts";

/** No other session has this name, also when a job of the same id was started before. */
export const nameExactly = ({ pid, session }: ScreenHandle): string => `${pid}.${session}`;

export const createViewCommands = (): Pick<Executor, "attachCommand" | "fitCommand"> => ({
  attachCommand: (handle) => (handle.kind === "screen" ? ["screen", "-U", "-x", nameExactly(handle)] : []),
  fitCommand: (handle, { columns, rows }) =>
    handle.kind === "screen"
      ? ["screen", "-S", nameExactly(handle), "-X", "width", "-w", String(columns), String(rows)]
      : [],
});
