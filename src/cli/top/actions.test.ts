import { describe, expect, test } from "bun:test";
import { makeJob, makeState, makeView, SOME_JOBS } from "../../../tests/support/top-samples.ts";
import { reactToKey } from "./actions.ts";
import type { Key } from "./keys.ts";
import { type TopState, takeLog, takeView } from "./top-state.ts";

const press = (state: TopState, ...keys: readonly Key[]): TopState =>
  keys.reduce((current, key) => reactToKey(current, key).state, state);

const effectOf = (state: TopState, ...keys: readonly Key[]): unknown =>
  reactToKey(press(state, ...keys.slice(0, -1)), keys.at(-1) ?? "").effect;

describe("the selection", () => {
  test.each([
    ["down", "p2q8zz"],
    ["j j", "w7c4de"],
    ["j j j", "w7c4de"],
    ["j k up", "k3f9ab"],
    ["end", "w7c4de"],
    ["G g", "k3f9ab"],
    ["page down", "w7c4de"],
  ])("%s leads to %s", (keys, id) => {
    const words = keys === "page down" ? [keys] : keys.split(" ");
    expect(press(makeState(), ...words).selected).toBe(id);
  });

  test("stays with its job when jobs before it come and go", () => {
    const state = makeState({ selected: "w7c4de" });
    const next = { ...SOME_JOBS, running: [makeJob({ id: "new" })], queued: SOME_JOBS.queued.toReversed() };
    expect(takeView(state, next, 1).selected).toBe("w7c4de");
  });

  test("goes to what has taken its place when its job is gone, or to nothing", () => {
    const state = makeState({ selected: "p2q8zz" });
    expect(takeView(state, { ...SOME_JOBS, queued: SOME_JOBS.queued.slice(1) }, 1).selected).toBe("w7c4de");
    expect(takeView(state, { ...SOME_JOBS, queued: [] }, 1).selected).toBe("k3f9ab");
    expect(takeView(state, makeView(), 1).selected).toBeNull();
  });

  test("nothing selected: keys for a job do nothing", () => {
    const state = makeState({ view: makeView() });
    for (const key of ["x", "p", "enter", "down", "end"]) expect(press(state, key)).toEqual(state);
  });
});

describe("killing", () => {
  test("asks first, and only a yes goes on", () => {
    expect(effectOf(makeState(), "x")).toBeNull();
    expect(effectOf(makeState(), "x", "y")).toEqual({ kind: "kill", id: "k3f9ab" });
    for (const key of ["n", "enter", "escape", "x", "q"]) {
      expect(effectOf(makeState(), "x", key)).toBeNull();
      expect(press(makeState(), "x", key).mode.kind).toBe("list");
    }
  });

  test("a queued job is taken out of the queue", () => {
    expect(effectOf(makeState(), "j", "x", "Y")).toEqual({ kind: "remove", id: "p2q8zz" });
  });

  test("is for the job that was asked about, even if the selection has moved on by itself", () => {
    const asked = press(makeState(), "x");
    const later = takeView(asked, { ...SOME_JOBS, running: [] }, 1);
    expect(later.selected).not.toBe("k3f9ab");
    expect(effectOf(later, "y")).toEqual({ kind: "kill", id: "k3f9ab" });
  });

  test("a job that is being killed is not asked about again", () => {
    const state = makeState({ view: makeView({ running: [makeJob({ marked_for_kill: true })] }) });
    expect(press(state, "x").notice).toContain("is being killed");
    expect(effectOf(state, "x", "y")).toBeNull();
  });
});

describe("a priority", () => {
  const asked = press(makeState(), "j", "p");

  test("is typed, mended and sent with Enter", () => {
    const keys = ["-", "1", "5", "x", "backspace", "2", "enter"];
    expect(effectOf(asked, ...keys)).toEqual({ kind: "prioritise", id: "p2q8zz", priority: -12 });
  });

  test.each([["9999"], [""], ["-"]])("%j is refused", (text) => {
    expect(effectOf(asked, ...text, "enter")).toBeNull();
    expect(press(asked, ...text, "enter").notice).toContain("from -9999 to 9998");
  });

  test("Escape leaves it as it was", () => {
    expect(press(asked, "5", "escape").mode.kind).toBe("list");
    expect(effectOf(asked, "5", "escape")).toBeNull();
  });

  test("of a running job can't be changed, which is told until the next key", () => {
    const told = press(makeState(), "p");
    expect(told.notice).toContain("runs already");
    expect(press(told, "j").notice).toBeNull();
  });
});

describe("the log on the whole screen", () => {
  const lines = Array.from({ length: 100 }, (_line, index) => `line ${index}`);
  const open = { ...press(makeState(), "enter"), log: { job: makeJob(), lines } };

  test("looks back no further than to the first line, and End follows again", () => {
    expect(press(open, "up", "up").mode).toMatchObject({ back: 2 });
    expect(press(open, "home").mode).toMatchObject({ back: 78 });
    expect(press(open, "home", "end").mode).toMatchObject({ back: 0 });
    expect(press(open, "down").mode).toMatchObject({ back: 0 });
  });

  test("stands still while one looks back", () => {
    const more = { job: makeJob(), lines: [...lines, "new"] };
    expect(takeLog(open, more).log?.lines).toHaveLength(101);
    expect(takeLog(press(open, "up"), more).log?.lines).toHaveLength(100);
  });

  test("is left with q, which does not leave the view", () => {
    expect(effectOf(open, "q")).toBeNull();
    expect(press(open, "q").mode.kind).toBe("list");
  });

  test("stays with its job when that has ended", () => {
    const later = takeView(open, makeView(), 1);
    const ended = { job: makeJob({ status: "completed" }), lines: ["done"] };
    expect(takeLog(later, ended).log).toBe(ended);
  });

  test("takes no other job's lines", () => {
    expect(takeLog(open, { job: makeJob({ id: "other" }), lines: [] }).log).toBe(open.log);
  });
});

test.each([["list"], ["log"], ["help"], ["confirm"], ["priority"]])("in %s Ctrl-C ends and Ctrl-Z suspends", (kind) => {
  const keys: Readonly<Record<string, readonly Key[]>> = {
    log: ["l"],
    help: ["?"],
    confirm: ["x"],
    priority: ["j", "p"],
  };
  const state = press(makeState(), ...(keys[kind] ?? []));
  expect(String(state.mode.kind)).toBe(kind);
  expect(effectOf(state, "interrupt")).toEqual({ kind: "interrupt" });
  expect(effectOf(state, "suspend")).toEqual({ kind: "suspend" });
});

test("q quits from the list, and from help it only leaves help", () => {
  expect(effectOf(makeState(), "q")).toEqual({ kind: "quit" });
  expect(effectOf(makeState(), "?", "q")).toBeNull();
});
