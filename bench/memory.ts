import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { BUN, formatMs, printFigure, readResidentMib, startServer } from "./harness.ts";

type Measured = Readonly<{ url: string; pid: number }>;

const ARTIFACT_BYTES = 50 * 1024 * 1024;
const SETTLE_MS = 2000;

const startCountingServer = async (): Promise<Measured & Readonly<{ stop: () => void }>> => {
  const child = spawn(BUN, [join(import.meta.dirname, "counting-server.ts")], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = (await once(child.stdout, "data")) as [Buffer];
  return { url: `${url}`, pid: child.pid ?? 0, stop: () => void child.kill() };
};

const benchUpload = async (what: string, { url, pid }: Measured): Promise<void> => {
  await Bun.sleep(SETTLE_MS);
  const idle = await readResidentMib(pid, "VmRSS");
  printFigure(`memory of ${what}, idle`, `${idle.toFixed(0)} MiB`);
  const response = await fetch(url, { method: "POST", body: randomBytes(ARTIFACT_BYTES) });
  if (response.status !== 201) throw new Error(await response.text());
  const peak = await readResidentMib(pid, "VmHWM");
  printFigure("  peak while 50 MiB came in", `${peak.toFixed(0)} MiB`, `${(peak - idle).toFixed(0)} MiB more`);
};

export const benchMemory = async (): Promise<void> => {
  const server = await startServer();
  const counting = await startCountingServer();
  try {
    printFigure("start → healthy", formatMs(server.startedInMs));
    await benchUpload("the server", { ...server, url: `${server.url}/v1/artifacts` });
    await benchUpload("a Bun server that only counts bytes", counting);
  } finally {
    counting.stop();
    await server.stop();
  }
};
