import { expect, test } from "bun:test";
import type { JobId } from "../../core/jobs/job.ts";
import type { TerminalSize } from "../../core/running/job-terminal.ts";
import { createViewingRooms, type Viewer } from "./viewing-rooms.ts";

const JOB = "aaa" as JobId;

const createSeat = (columns: number, rows: number, isReadOnly = false) => {
  const state = { size: { columns, rows }, shown: { columns, rows }, left: "" };
  const viewer: Viewer = {
    isReadOnly,
    readSize: () => state.size,
    resize: (size) => {
      state.shown = size;
    },
    leave: (code, reason) => {
      state.left = `${code} ${reason}`;
    },
  };
  return { viewer, state };
};

const createFit = () => {
  const fitted: TerminalSize[] = [];
  return { fitted, fit: async (size: TerminalSize) => void fitted.push(size) };
};

test("a lone viewer is followed by screen itself", () => {
  const rooms = createViewingRooms();
  const { fitted, fit } = createFit();
  const one = createSeat(80, 24);
  rooms.join(JOB, one.viewer, fit);
  one.state.size = { columns: 100, rows: 30 };
  rooms.update(JOB);
  expect([one.state.shown, fitted]).toEqual([{ columns: 100, rows: 30 }, []]);
});

test("those who may type share the smallest width and height, and grow again when the smallest leaves", () => {
  const rooms = createViewingRooms();
  const { fitted, fit } = createFit();
  const [wide, tall] = [createSeat(120, 24), createSeat(80, 50)];
  rooms.join(JOB, wide.viewer, fit);
  rooms.join(JOB, tall.viewer, fit);
  expect([wide.state.shown, tall.state.shown]).toEqual([
    { columns: 80, rows: 24 },
    { columns: 80, rows: 24 },
  ]);
  rooms.leave(JOB, wide.viewer);
  expect(tall.state.shown).toEqual({ columns: 80, rows: 50 });
  expect(fitted).toEqual([
    { columns: 80, rows: 24 },
    { columns: 80, rows: 50 },
  ]);
});

test("those who stay are followed on when one leaves, and shared with who comes", () => {
  const rooms = createViewingRooms();
  const { fitted, fit } = createFit();
  const [first, second, third] = [createSeat(80, 24), createSeat(90, 30), createSeat(60, 40)];
  rooms.join(JOB, first.viewer, fit);
  rooms.join(JOB, second.viewer, fit);
  rooms.leave(JOB, first.viewer);
  second.state.size = { columns: 100, rows: 35 };
  rooms.update(JOB);
  expect(second.state.shown).toEqual({ columns: 100, rows: 35 });
  rooms.join(JOB, third.viewer, fit);
  expect([second.state.shown, fitted.at(-1)]).toEqual([
    { columns: 60, rows: 35 },
    { columns: 60, rows: 35 },
  ]);
  const before = [{ ...first.state.shown }, fitted.length];
  rooms.leave(JOB, first.viewer);
  expect([first.state.shown, fitted.length]).toEqual(before);
  rooms.closeAll(1001, "over");
  expect([first, second, third].map(({ state }) => state.left)).toEqual(["", "1001 over", "1001 over"]);
});

test("one who only watches changes nothing for the others, whatever its window", () => {
  const rooms = createViewingRooms();
  const { fit } = createFit();
  const [typing, watching] = [createSeat(120, 40), createSeat(30, 8, true)];
  rooms.join(JOB, typing.viewer, fit);
  rooms.join(JOB, watching.viewer, fit);
  watching.state.size = { columns: 1, rows: 1 };
  rooms.update(JOB);
  expect(typing.state.shown).toEqual({ columns: 120, rows: 40 });
  expect(watching.state.shown).toEqual({ columns: 1, rows: 1 });
});

test("nobody can make the terminal too small to use, and rooms of other jobs are apart", () => {
  const rooms = createViewingRooms();
  const { fit } = createFit();
  const [tiny, other] = [createSeat(1, 1), createSeat(80, 24)];
  rooms.join("bbb" as JobId, other.viewer, fit);
  rooms.join(JOB, tiny.viewer, fit);
  expect([tiny.state.shown, other.state.shown]).toEqual([
    { columns: 10, rows: 3 },
    { columns: 80, rows: 24 },
  ]);
  rooms.closeAll(1001, "over");
  expect([tiny.state.left, other.state.left]).toEqual(["1001 over", "1001 over"]);
});
