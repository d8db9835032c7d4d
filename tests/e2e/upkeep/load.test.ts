import { expect, test } from "bun:test";
import { runLoad } from "../../../bench/load/run-load.ts";

test("64 clients and 140 followers, of whom 40 hardly read, leave nothing behind and get no answer but those agreed", async () => {
  const { requests, limits, lag, starts, before, after, samples, cutFollowers } = await runLoad({
    seconds: 4,
    clients: 64,
    thinkMs: 50,
    followers: { reading: 100, slow: 20, never: 20 },
    sampleMs: 1000,
  });
  expect(Object.keys(requests.statuses())).toEqual(["200", "201", "204"]);
  expect(requests.count()).toBeGreaterThan(200);
  expect(Object.keys(limits.statuses())).toEqual(["200", "403", "413", "431", "503"]);
  expect(limits.at(1)).toBeLessThan(5000);
  expect(Object.keys(starts.statuses())).toEqual(["200"]);
  expect(cutFollowers).toBe(0);
  expect(lag.count()).toBeGreaterThan(100);
  expect(lag.at(0.9)).toBeLessThan(3000);
  expect(Math.max(...samples.map(({ rssMib }) => rssMib))).toBeLessThan(before.rssMib + 200);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 3);
  expect(after.rssMib).toBeLessThanOrEqual(before.rssMib + 24);
}, 100_000);
