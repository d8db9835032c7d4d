/** What a look at the server's own process shows; `busyShare` is the share of one core that it used since the last look. */
export type MemoryLook = Readonly<{ rssMib: number; busyShare: number }>;

/** `floorMib` is the least that was seen since memory was last given back; `isReturned`: it was at the last look. */
export type MemoryState = Readonly<{ floorMib: number; isReturned: boolean }>;

const SPARE_MIB = 8;
const QUIET_SHARE = 0.05;

/** Memory is given back once the server is quiet and has grown; what it still holds at the next look is what it needs. */
export const judgeMemory = ({ floorMib, isReturned }: MemoryState, { rssMib, busyShare }: MemoryLook): MemoryState => {
  const isQuiet = busyShare < QUIET_SHARE;
  const floor = isReturned && isQuiet ? rssMib : Math.min(floorMib, rssMib);
  return { floorMib: floor, isReturned: isQuiet && rssMib > floor + SPARE_MIB };
};
