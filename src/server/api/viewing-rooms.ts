import type { JobId } from "../core/job.ts";
import type { TerminalSize } from "../core/terminal.ts";

export type Seat = Readonly<{
  isReadOnly: boolean;
  readSize: () => TerminalSize;
  resize: (size: TerminalSize) => void;
  leave: (code: number, reason: string) => void;
}>;

/** `update` is for a job of which a seat changed its size. */
export type ViewingRooms = Readonly<{
  join: (id: JobId, seat: Seat, fitJob: FitJob) => void;
  update: (id: JobId) => void;
  leave: (id: JobId, seat: Seat) => void;
  closeAll: (code: number, reason: string) => void;
}>;

/** Gives the job's own terminal a size, whoever looks at it. */
export type FitJob = (size: TerminalSize) => Promise<void>;

type Room = Readonly<{ seats: Set<Seat>; fitJob: FitJob }>;

const SMALLEST: TerminalSize = { columns: 10, rows: 3 };

const minimum = (sides: readonly number[], least: number): number => Math.max(least, Math.min(...sides));

const chooseSize = (seats: ReadonlySet<Seat>): TerminalSize => {
  const writers = [...seats].filter(({ isReadOnly }) => !isReadOnly);
  const sizes = (writers.length > 0 ? writers : [...seats]).map(({ readSize }) => readSize());
  return {
    columns: minimum(
      sizes.map(({ columns }) => columns),
      SMALLEST.columns,
    ),
    rows: minimum(
      sizes.map(({ rows }) => rows),
      SMALLEST.rows,
    ),
  };
};

const sizeOf = (seat: Seat, shared: TerminalSize): TerminalSize => (seat.isReadOnly ? seat.readSize() : shared);

const settle = ({ seats, fitJob }: Room, isAlone: boolean): void => {
  if (seats.size === 0) return;
  const shared = chooseSize(seats);
  for (const seat of seats) seat.resize(sizeOf(seat, shared));
  if (!isAlone) void fitJob(shared);
};

/**
 * Who looks at which job. Those who may type share the size of the smallest of them, so that all see the whole; one who
 * only watches changes nothing for the others. Screen follows a lone viewer by itself.
 */
export const createViewingRooms = (): ViewingRooms => {
  const rooms = new Map<JobId, Room>();
  const join: ViewingRooms["join"] = (id, seat, fitJob) => {
    const room = rooms.get(id) ?? { seats: new Set<Seat>(), fitJob };
    rooms.set(id, room);
    room.seats.add(seat);
    settle(room, room.seats.size === 1);
  };
  const update: ViewingRooms["update"] = (id) => {
    const room = rooms.get(id);
    if (room !== undefined) settle(room, room.seats.size === 1);
  };
  const leave: ViewingRooms["leave"] = (id, seat) => {
    const room = rooms.get(id);
    if (room === undefined || !room.seats.delete(seat)) return;
    if (room.seats.size === 0) rooms.delete(id);
    settle(room, false);
  };
  const closeAll: ViewingRooms["closeAll"] = (code, reason) => {
    for (const { seats } of [...rooms.values()]) for (const seat of [...seats]) seat.leave(code, reason);
  };
  return { join, update, leave, closeAll };
};
