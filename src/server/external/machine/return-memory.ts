import { judgeMemory, type MemoryLook, type MemoryState } from "../../core/machine/memory-return.ts";

const LOOK_MS = 10_000;
const MICROSECONDS_A_MS = 1000;
const BYTES_A_MIB = 2 ** 20;

const createLook = (): (() => MemoryLook) => {
  let [used, at] = [process.cpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    const busyShare = (user + system) / MICROSECONDS_A_MS / (performance.now() - at);
    [used, at] = [process.cpuUsage(), performance.now()];
    return { rssMib: process.memoryUsage.rss() / BYTES_A_MIB, busyShare };
  };
};

/** Gives what a load made the runtime's heap grow to back to the machine once the server is quiet. Returns its end. */
export const returnMemory = (): (() => void) => {
  const look = createLook();
  let state: MemoryState = { floorMib: look().rssMib, isReturned: false };
  const timer = setInterval(() => {
    state = judgeMemory(state, look());
    if (state.isReturned) Bun.shrink();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
};
