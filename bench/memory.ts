import { formatMs, printFigure, readResidentMib, startServer } from "./harness.ts";

const ARTIFACT_BYTES = 50 * 1024 * 1024;

export const benchMemory = async (): Promise<void> => {
  const server = await startServer();
  try {
    printFigure("start → healthy", formatMs(server.startedInMs));
    await Bun.sleep(2000);
    const idle = await readResidentMib(server.pid, "VmRSS");
    printFigure("memory, idle", `${idle.toFixed(0)} MiB`);
    const body = new Uint8Array(ARTIFACT_BYTES).fill(1);
    const response = await fetch(`${server.url}/v1/artifacts`, { method: "POST", body });
    if (response.status !== 201) throw new Error(await response.text());
    const peak = await readResidentMib(server.pid, "VmHWM");
    printFigure("memory, peak while 50 MiB came in", `${peak.toFixed(0)} MiB`, `${(peak - idle).toFixed(0)} MiB more`);
  } finally {
    await server.stop();
  }
};
