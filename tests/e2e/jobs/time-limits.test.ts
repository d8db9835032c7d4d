import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listProcessesWith, stopChild } from "../../support/programs.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.dispose());

const place = (name: string): string => join(world.folder, name);

const waitForFile = (path: string): Promise<void> => waitUntil(() => existsSync(path), `${path} is there`);

const submit = async (words: readonly string[], command: string): Promise<string> => {
  const added = await world.nx(["add", "-c", "--no-git", "-q", ...words, command]);
  if (added.exitCode !== 0) throw new Error(added.stderr);
  return added.stdout.trim();
};

describe("a job with a time limit", () => {
  test("is ended at it, whatever it makes of that, and fails with the reason", async () => {
    await world.startServer();
    const command = `trap 'touch ${place("told")}; exit 0' TERM; touch ${place("began")}; while :; do sleep 0.05; done`;
    const id = await submit(["--time", "2s"], command);
    const job = await world.waitFor(id);
    expect(job).toMatchObject({ status: "failed", exit_code: null, error_message: "Time limit of 2 s reached" });
    const ran = (job.completed_at ?? 0) - (job.started_at ?? 0);
    expect(ran).toBeGreaterThanOrEqual(2);
    expect(existsSync(place("told"))).toBe(true);
    const wait = await world.nx(["wait", id]);
    expect([wait.exitCode, wait.stdout + wait.stderr]).toEqual([1, expect.stringContaining("Time limit of 2 s")]);
    expect(listProcessesWith(`NEXUS_JOB_ID=${id}`)).toEqual([]);
  });

  test("that ends before it is what its exit code says", async () => {
    await world.startServer();
    const id = await submit(["--time", "1h"], "exit 3");
    expect(await world.waitFor(id)).toMatchObject({ status: "failed", exit_code: 3, time_limit_s: 3600 });
  });

  test("is told so in time, those of its processes that listen and no other, and knows its deadline", async () => {
    await world.startServer();
    const listen = `trap 'echo saved >> ${place("saved")}' USR1; echo $NEXUS_DEADLINE > ${place("deadline")}`;
    const command = `sleep 60 & echo $! > ${place("deaf")}; ${listen}; touch ${place("began")}; while [ ! -e ${place("go")} ]; do sleep 0.05; done`;
    const id = await submit(["--time", "1h"], command);
    await waitForFile(place("began"));
    const { started_at } = await world.job(id);
    expect(readFileSync(place("deadline"), "utf8").trim()).toBe(String(Math.floor((started_at ?? 0) + 3600)));
    const patch = await fetch(`${world.url}/v1/jobs/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ time_limit_s: 3000 }),
    });
    expect(patch.status).toBe(200);
    writeFileSync(place("go"), "");
    expect((await world.waitFor(id)).status).toBe("completed");
    expect(existsSync(place("saved"))).toBe(false);

    const warned = await submit(["--time", "1h", "--warn", "59m58s"], command.replaceAll(place("go"), place("go2")));
    await waitForFile(place("saved"));
    expect(existsSync(`/proc/${readFileSync(place("deaf"), "utf8").trim()}`)).toBe(true);
    writeFileSync(place("go2"), "");
    expect(await world.waitFor(warned)).toMatchObject({ status: "completed", warn_s: 3598 });
    expect(readFileSync(place("saved"), "utf8")).toBe("saved\n");
  });

  test("is ended by the next server when its limit passed while there was none", async () => {
    const server = await world.startServer();
    const id = await submit(["--time", "3s"], `touch ${place("began")}; sleep 600`);
    await waitForFile(place("began"));
    await stopChild(server, "SIGKILL");
    const { mtimeMs } = await Bun.file(place("began")).stat();
    await waitUntil(() => Date.now() > mtimeMs + 3500, "its limit has passed");
    expect(listProcessesWith(`NEXUS_JOB_ID=${id}`)).not.toEqual([]);
    await world.startServer();
    expect(await world.waitFor(id)).toMatchObject({ status: "failed", error_message: "Time limit of 3 s reached" });
  });

  test("of a running one is changed by nx edit, and is seen in what nx shows of it", async () => {
    await world.startServer();
    const id = await submit(["--time", "1h", "--warn", "5m"], "sleep 600");
    await world.waitFor(id, ["running"]);
    const got = await world.nx(["get", id]);
    expect(got.stdout).toMatch(/limit +1 h, warned 5 min before/);
    const edited = await world.nx(["edit", id, "--time", "1s"]);
    expect([edited.exitCode, edited.stderr]).toEqual([0, ""]);
    expect(await world.waitFor(id)).toMatchObject({ status: "failed", error_message: "Time limit of 1 s reached" });
  });
});

test.each(["2", "90", "1.5h", "0s", "soon"])("a time of %p is wrong usage that says what is right", async (text) => {
  const added = await world.nx(["add", "-c", "--no-git", "--time", text, "true"]);
  expect([added.exitCode, added.stderr]).toEqual([2, expect.stringContaining("45s, 5m, 2h, 1d or 1h30m")]);
});
