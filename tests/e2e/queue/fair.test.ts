import { afterAll, beforeAll, expect, test } from "bun:test";
import type { WireJob } from "../../../src/wire/job.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;

const submit = (user: string, command: string, fields: object = {}): Promise<WireJob> =>
  world.submit({ command, user, num_gpus: 1, ...fields });

beforeAll(async () => {
  world = await createWorld();
  await world.startServer({ NS_MOCK_GPUS: "1", NS_ORDER: "fair", NS_MAX_CPU_JOBS: "1" });
});

afterAll(() => world.dispose());

test("with order = fair whoever had less of the GPUs goes first, in the queue, in nx why, and when it starts", async () => {
  await world.waitFor((await submit("ann", "sleep 1")).id);
  const holder = await submit("cyd", "sleep 60");
  await world.waitFor(holder.id, ["running"]);
  const first = await submit("ann", "true");
  const second = await submit("bob", "true");
  const above = await submit("ann", "true", { priority: 1 });
  const order = [above, second, first].map(({ id }) => id);
  const queue = JSON.parse((await world.nx(["queue", "--json"])).stdout) as readonly WireJob[];
  expect(queue.map(({ id }) => id)).toEqual(order);
  expect((await world.nx(["why", first.id])).stdout).toContain(
    `number 3 of 3 in the queue, after ${order[0]}, ${order[1]}`,
  );
  await world.nx(["kill", "-y", holder.id]);
  const ended = await Promise.all(order.map((id) => world.waitFor(id)));
  const starts = ended.map(({ started_at }) => started_at ?? 0);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});
