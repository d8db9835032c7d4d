import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopChild } from "../../support/programs.ts";
import { canMakeUsers, makeUser, removeUser, type UnixUser } from "../../support/unix-users.ts";
import { waitUntil } from "../../support/wait.ts";
import { createWorld, type World } from "../../support/world.ts";

const SETTINGS = { NS_REFRESH_RATE: "0.3" };

describe.skipIf(!canMakeUsers)("a job that shuts its folder to its own user", () => {
  let folder: string;
  let user: UnixUser;
  let world: World;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nexus-shut-"));
    user = makeUser(folder, "shut");
  });

  afterAll(() => {
    removeUser(user);
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    world = await createWorld(user.uid);
  });

  afterEach(async () => {
    spawnSync("chmod", ["-R", "u+rwx", join(world.folder, "server/jobs")]);
    await world.dispose();
  });

  const submit = (id: string, command: string): Promise<unknown> => world.submit({ job_id: id, command, num_gpus: 0 });

  const expectToBeSaid = async (): Promise<void> => {
    await world.waitFor("shut");
    await waitUntil(async () => (await world.job("shut")).outputs.state === "failed", "that is said");
    expect((await world.job("shut")).notes).toEqual([
      expect.stringMatching(/^Its files could not be kept: EACCES: permission denied/),
    ]);
  };

  test("ends, and says that its files could not be kept; others end, and the server starts again", async () => {
    const server = await world.startServer(SETTINGS);
    await submit("shut", "echo made > file; chmod 000 ..");
    await submit("other", "echo made > file");
    await expectToBeSaid();
    expect(await world.waitFor("other")).toMatchObject({ status: "completed" });
    await stopChild(server, "SIGKILL");
    await world.startServer(SETTINGS);
    await submit("later", "true");
    expect(await world.waitFor("later")).toMatchObject({ status: "completed" });
  });

  test("while no server runs holds up no start", async () => {
    const server = await world.startServer(SETTINGS);
    const go = join(world.folder, "go");
    await submit("shut", `echo made > file; until [ -e ${go} ]; do sleep 0.02; done; chmod 000 ..`);
    await submit("other", `echo made > file; until [ -e ${go} ]; do sleep 0.02; done`);
    const made = ["shut", "other"].map((id) => join(world.folder, "server/jobs", id, "repo/file"));
    await waitUntil(() => made.every((path) => existsSync(path)), "both run");
    await stopChild(server, "SIGKILL");
    spawnSync("touch", [go]);
    await waitUntil(
      () => spawnSync("stat", ["-c", "%a", join(world.folder, "server/jobs/shut")]).stdout.toString() === "0\n",
      "it has shut its folder",
    );
    await world.startServer(SETTINGS);
    await expectToBeSaid();
    expect(await world.waitFor("other")).toMatchObject({ status: "completed" });
  });
});
