import { statfs } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import { chooseMinBytes, type DiskRoom, type ReadDiskRoom } from "../../core/machine/disk-room.ts";
import { cacheFigures } from "./cached-figures.ts";

const ANSWER_WITHIN_MS = 1500;

const measure = async (serverDir: string, minFreeGb: number): Promise<DiskRoom> => {
  const { blocks, bavail, bsize } = await statfs(serverDir);
  return { freeBytes: bavail * bsize, minBytes: chooseMinBytes(minFreeGb, blocks * bsize) };
};

export const createDiskRoom = (
  { serverDir, minFreeGb }: Readonly<{ serverDir: string; minFreeGb: number }>,
  clock: Clock,
): ReadDiskRoom => {
  const limits = { clock, maxAgeS: 0, answerWithinMs: ANSWER_WITHIN_MS };
  const read = cacheFigures({ ...limits, measure: () => measure(serverDir, minFreeGb) });
  return () => read(false);
};
