import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isGapless, readNumbers, renderCounter } from "../../support/numbered-lines.ts";
import { NX, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const MAX_LOG_GB = 0.003;
const MAX_BYTES = MAX_LOG_GB * 1e9;
const SETTINGS = { NS_REFRESH_RATE: "0.3", NS_MAX_LOG_GB: String(MAX_LOG_GB) };
const LINES = 1_000_000;
const BURST = 5000;

let world: World;

beforeAll(async () => {
  world = await createWorld();
});

afterAll(() => world.dispose());

const locateLog = (id: string): string => join(world.folder, "server", "jobs", id, "output.log");

const measureLog = (id: string) => statSync(locateLog(id), { throwIfNoEntry: false }) ?? { size: 0, blocks: 0 };

const followByNx = (words: readonly string[]) => {
  const child = spawn(NX, words, { env: world.env, cwd: world.home, stdio: ["ignore", "pipe", "pipe"] });
  let shown = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, shown: () => shown, said: () => said, ended };
};

const readStream = async (id: string, query = ""): Promise<string> =>
  (await fetch(`${world.url}/v1/jobs/${id}/logs/stream${query}`)).text();

describe("a log larger than max_log_gb", () => {
  test("is followed across the server's deaths, once and in order, and stays within the limit while there is none", async () => {
    let server = await world.startServer(SETTINGS);
    const go = join(world.folder, "go");
    const command = `${renderCounter(LINES, BURST, "sleep 0.005")}; until [ -e ${go} ]; do sleep 0.02; done; echo the end`;
    const { id } = await world.submit({ command, num_gpus: 0 });
    await waitUntil(() => existsSync(locateLog(id)), "it prints");
    const whole = followByNx(["logs", "-F", id]);
    const late = followByNx(["logs", "-F", "-n", "3", id]);
    for (const grown of [2, 6, 9]) {
      await waitUntil(
        () => measureLog(id).size > grown * MAX_BYTES || measureLog(id).size > LINES * 12,
        "it has grown",
      );
      await stopChild(server, "SIGKILL");
      const { size } = measureLog(id);
      await waitUntil(
        () => measureLog(id).size > size + MAX_BYTES / 2 || measureLog(id).size > LINES * 12,
        "it grows on",
      );
      expect(measureLog(id).blocks * 512).toBeLessThan(1.25 * MAX_BYTES);
      server = await world.startServer(SETTINGS);
    }
    await waitUntil(() => readNumbers(whole.shown()).at(-1)?.at(-1) === LINES - 1, "the last line is shown");
    writeFileSync(go, "");
    expect([await whole.ended, await late.ended]).toEqual([0, 0]);
    const parts = readNumbers(whole.shown());
    expect(parts[0]?.[0]).toBe(0);
    for (const [place, numbers] of parts.entries()) {
      expect(isGapless(numbers)).toBe(true);
      if (place > 0) expect(numbers[0]).toBeGreaterThan(parts[place - 1]?.at(-1) ?? Number.NaN);
    }
    expect(whole.shown()).toEndWith("the end\n");
    const lateParts = readNumbers(late.shown());
    for (const numbers of lateParts) expect(isGapless(numbers)).toBe(true);
    expect([lateParts.at(-1)?.at(-1), late.shown().endsWith("the end\n")]).toEqual([LINES - 1, true]);
    expect(measureLog(id).blocks * 512).toBeLessThanOrEqual(MAX_BYTES);
    const kept = readNumbers(await readStream(id));
    expect([kept.length, kept[0]?.[0], kept[1]?.at(-1)]).toEqual([2, 0, LINES - 1]);
    expect(kept.map(isGapless)).toEqual([true, true]);
    const shown = await world.nx(["logs", id]);
    expect(shown.stdout).toMatch(/\[Nexus left out [\d.]+ MB here: the log is larger than max_log_gb\]/);
    expect((await world.nx(["logs", "-n", "1", id])).stdout).toBe("the end\n");
  }, 120_000);
});
