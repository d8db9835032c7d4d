import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createRunning } from "../../../../tests/support/samples.ts";
import { INPUT_WAIT_S, type InputWatch, judgeInput, watchInput } from "./input-wait.ts";

const NEVER = createRunning("a");
const WAITING = createRunning("a", { inputSince: 40 });
const ANSWERED = createRunning("a", { inputSince: null });

const look = (job: typeof NEVER, before: InputWatch | undefined, uptime: number, mark = "m") => {
  const watch = watchInput(job, { before, mark, now: uptime });
  return { watch, told: judgeInput(job, watch, { uptime, now: 1000 + uptime }) };
};

const aLook = fc.record({ afterS: fc.integer({ min: 1, max: 400 }), mark: fc.constantFrom("a", "b", null) });

type Look = typeof aLook extends fc.Arbitrary<infer One> ? One : never;
type Scene = Readonly<{
  job: typeof NEVER;
  watch: InputWatch | undefined;
  uptime: number;
  since: number;
  mark: string | null;
}>;

const lookOn = (scene: Scene, { afterS, mark }: Look): Scene => {
  const uptime = scene.uptime + afterS;
  const watch = mark === null ? undefined : watchInput(scene.job, { before: scene.watch, mark, now: uptime });
  const told = judgeInput(scene.job, watch, { uptime, now: uptime });
  const job = told === undefined ? scene.job : { ...scene.job, inputSince: told };
  return { job, watch, uptime, since: mark === scene.mark ? scene.since : uptime, mark };
};

describe("a job that waits for input", () => {
  test.each([NEVER, ANSWERED])("is said to do so after five minutes, since when it does", (job) => {
    const first = look(job, undefined, 10);
    expect(first.told).toBeUndefined();
    expect(look(job, first.watch, 10 + INPUT_WAIT_S - 1).told).toBeUndefined();
    expect(look(job, first.watch, 10 + INPUT_WAIT_S).told).toBe(1010);
  });

  test("begins anew once something was typed or printed", () => {
    const first = look(NEVER, undefined, 0);
    const second = look(NEVER, first.watch, 299, "n");
    expect(look(NEVER, second.watch, 301, "n").told).toBeUndefined();
    expect(look(NEVER, second.watch, 599, "n").told).toBe(1299);
  });

  test("and was said to does no longer once it was answered, or looks otherwise", () => {
    expect(judgeInput(WAITING, undefined, { uptime: 900, now: 1900 })).toBeNull();
    expect(look(WAITING, { mark: "m", since: 0 }, 900, "n").told).toBeNull();
    expect(look(WAITING, { mark: "m", since: 0 }, 900).told).toBeUndefined();
  });

  test("goes on to for the next server", () => {
    const first = look(WAITING, undefined, 5);
    expect(first.told).toBeUndefined();
    expect(look(WAITING, first.watch, 6).told).toBeUndefined();
    expect(look(WAITING, first.watch, 6, "n").told).toBeNull();
  });

  test("over any looks is said to exactly while its mark has stood for five minutes", () => {
    fc.assert(
      fc.property(fc.array(aLook), (looks) => {
        let scene: Scene = { job: NEVER, watch: undefined, uptime: 0, since: 0, mark: null };
        for (const one of looks) {
          scene = lookOn(scene, one);
          const isLong = scene.mark !== null && scene.uptime - scene.since >= INPUT_WAIT_S;
          expect(scene.job.inputSince ?? null).toBe(isLong ? scene.since : null);
        }
      }),
    );
  });
});
