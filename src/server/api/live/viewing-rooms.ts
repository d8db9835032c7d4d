import type { JobId } from "../../core/jobs/job.ts";
import type { TerminalSize } from "../../core/running/job-terminal.ts";

export type Viewer = Readonly<{
  isReadOnly: boolean;
  readSize: () => TerminalSize;
  resize: (size: TerminalSize) => void;
  leave: (code: number, reason: string) => void;
}>;

/** `update` is for a job of which a viewer changed its size. */
export type ViewingRooms = Readonly<{
  join: (id: JobId, viewer: Viewer, fitJob: FitJob) => void;
  update: (id: JobId) => void;
  leave: (id: JobId, viewer: Viewer) => void;
  closeAll: (code: number, reason: string) => void;
}>;

/** Gives the job's own terminal a size, whoever looks at it. */
export type FitJob = (size: TerminalSize) => Promise<void>;

type Room = Readonly<{ viewers: Set<Viewer>; fitJob: FitJob }>;

const SMALLEST: TerminalSize = { columns: 10, rows: 3 };

const minimum = (sides: readonly number[], least: number): number => Math.max(least, Math.min(...sides));

const chooseSize = (viewers: ReadonlySet<Viewer>): TerminalSize => {
  const writers = [...viewers].filter(({ isReadOnly }) => !isReadOnly);
  const sizes = (writers.length > 0 ? writers : [...viewers]).map(({ readSize }) => readSize());
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

const sizeOf = (viewer: Viewer, shared: TerminalSize): TerminalSize => (viewer.isReadOnly ? viewer.readSize() : shared);

const fitRoom = ({ viewers, fitJob }: Room, isAlone: boolean): void => {
  if (viewers.size === 0) return;
  const shared = chooseSize(viewers);
  for (const viewer of viewers) viewer.resize(sizeOf(viewer, shared));
  if (!isAlone) void fitJob(shared);
};

/**
 * Who looks at which job. Those who may type share the size of the smallest of them, so that all see the whole; one who
 * only watches changes nothing for the others. Screen follows a lone viewer by itself.
 */
export const createViewingRooms = (): ViewingRooms => {
  const rooms = new Map<JobId, Room>();
  const join: ViewingRooms["join"] = (id, viewer, fitJob) => {
    const room = rooms.get(id) ?? { viewers: new Set<Viewer>(), fitJob };
    rooms.set(id, room);
    room.viewers.add(viewer);
    fitRoom(room, room.viewers.size === 1);
  };
  const update: ViewingRooms["update"] = (id) => {
    const room = rooms.get(id);
    if (room !== undefined) fitRoom(room, room.viewers.size === 1);
  };
  const leave: ViewingRooms["leave"] = (id, viewer) => {
    const room = rooms.get(id);
    if (room === undefined || !room.viewers.delete(viewer)) return;
    if (room.viewers.size === 0) rooms.delete(id);
    fitRoom(room, false);
  };
  const closeAll: ViewingRooms["closeAll"] = (code, reason) => {
    for (const { viewers } of [...rooms.values()]) for (const viewer of [...viewers]) viewer.leave(code, reason);
  };
  return { join, update, leave, closeAll };
};
