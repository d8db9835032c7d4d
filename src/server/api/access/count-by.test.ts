import { expect, test } from "bun:test";
import { createHarness } from "../../../../tests/support/api.ts";
import type { LocalUser } from "../../core/access/access.ts";
import { createApp } from "../app.ts";

const [ANN, BOB]: readonly [LocalUser, LocalUser] = [
  { user: "ann", isOwner: false },
  { user: "bob", isOwner: false },
];

const open = (isShared = true) => {
  const harness = createHarness();
  const local = { loopback: "owner", isShared, owner: "nexus", roles: new Map() } as const;
  const app = createApp({ ...harness.context, settings: { ...harness.context.settings, local } });
  const ask = async (path: string, holder: LocalUser | null, token?: string): Promise<number> => {
    const sent = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const request = new Request(`http://localhost${path}`, { headers: { host: "localhost", ...sent } });
    return (await app.fetch(request, { address: "127.0.0.1", holder })).status;
  };
  return { ask, ...harness };
};

const times = async (count: number, act: () => Promise<number>): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (let time = 0; time < count; time++) statuses.push(await act());
  return statuses;
};

test("a user of the machine who takes all their followers leaves the others theirs, from the same address", async () => {
  const { ask } = open();
  expect(await times(4, () => ask("/v1/events", ANN))).toEqual([200, 200, 200, 429]);
  expect(await times(2, () => ask("/v1/events", BOB))).toEqual([200, 200]);
});

test("who asks by a token and as a user of the machine is one", async () => {
  const { ask, addToken } = open();
  const token = addToken("ann", "user");
  expect(await times(3, () => ask("/v1/events", ANN))).toEqual([200, 200, 200]);
  expect(await ask("/v1/events", BOB, token)).toBe(429);
});

test("a user who guesses tokens is held up, and nobody else at that address", async () => {
  const { ask } = open();
  const guess = (holder: LocalUser | null) => ask("/v1/jobs", holder, "guess");
  expect(new Set(await times(10, () => guess(null)))).toEqual(new Set([401]));
  expect(await guess(null)).toBe(429);
  expect([await guess(ANN), await ask("/v1/jobs", BOB)]).toEqual([200, 200]);
});

test("on a personal server the guesses of one user are not another's", async () => {
  const { ask } = open(false);
  expect((await times(11, () => ask("/v1/jobs", ANN, "guess"))).at(-1)).toBe(429);
  expect(await ask("/v1/jobs", BOB, "guess")).toBe(401);
});
