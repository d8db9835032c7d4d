import { expect, test } from "bun:test";
import fc from "fast-check";
import { renderFamilies } from "./exposition.ts";
import { createUserFigures } from "./user-figures.ts";

const lasting = (user: string, seconds: number) => ({ user, gpus: 0.5, from: 1000, to: 1000 + 2 * seconds });

const readSamples = (figures: ReturnType<typeof createUserFigures>, running: readonly ReturnType<typeof lasting>[]) =>
  figures.read(running)[0]?.samples.map(({ labels, value }) => [String(labels["user"]), value] as const) ?? [];

test("GPU time is that of attempts that have ended and of those that run", () => {
  const figures = createUserFigures();
  figures.countStretch(lasting("ann", 100));
  expect(readSamples(figures, [lasting("ann", 5), lasting("bob", 0.5)])).toEqual([
    ["ann", 105],
    ["bob", 0.5],
  ]);
});

test("GPU time from before the server's start is not counted again", () => {
  const figures = createUserFigures(1010);
  figures.countStretch({ user: "ann", gpus: 2, from: 1000, to: 1005 });
  figures.countStretch({ user: "ann", gpus: 2, from: 1000, to: 1030 });
  expect(readSamples(figures, [{ user: "bob", gpus: 1, from: 900, to: 1011 }])).toEqual([
    ["ann", 40],
    ["bob", 1],
  ]);
});

test("no figure ever falls, whatever ends when", () => {
  const amount = fc.double({ min: 0, max: 1000, noNaN: true });
  const step = fc.record({ user: fc.constantFrom("ann", "bob"), ended: amount, running: amount });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const figures = createUserFigures();
      let before = new Map<string, number>();
      for (const { user, ended, running } of steps) {
        figures.countStretch(lasting(user, ended));
        const now = new Map(
          readSamples(figures, [lasting(user, running)]).map(([name, value]) => [name, Number(value)]),
        );
        for (const [name, value] of before) expect(now.get(name) ?? 0).toBeGreaterThanOrEqual(value);
        before = now;
      }
    }),
  );
});

test("the hundred and first user is counted with all others that come later, and a name can't break a line", () => {
  const figures = createUserFigures();
  for (let user = 0; user < 105; user++) figures.countWait(user === 0 ? 'a"\\\n b' : `u${user}`, 2);
  const text = renderFamilies(figures.read([]));
  expect(text).toContain('nexus_user_queue_wait_seconds_total{user="a\\"\\\\\\n b"} 2\n');
  expect(text).toContain('nexus_user_queue_wait_seconds_total{user="(others)"} 10\n');
  expect(text).toContain('nexus_user_jobs_started_total{user="(others)"} 5\n');
  expect(text.match(/^nexus_user_jobs_started_total/gm)).toHaveLength(101);
});
