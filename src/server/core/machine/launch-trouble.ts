/**
 * What keeps the machine from starting any job, in one line with what to do; null where nothing is known to. `read` tells what was
 * found last, `find` tries again whether it still holds, at most every few seconds.
 */
export type LaunchTrouble = Readonly<{ read: () => string | null; find: () => Promise<string | null> }>;
