/** What is free on the disk of the server's folder, and below what nothing starts, in bytes. */
export type DiskRoom = Readonly<{ freeBytes: number; minBytes: number }>;

/** Null where it can't be told: then nothing waits for it. Never takes over 2 s. */
export type ReadDiskRoom = () => Promise<DiskRoom | null>;

export type DiskNews = "disk_low" | "disk_room";

const BYTES_PER_GB = 1e9;
const LEAST_DISKS = 2;
const RECOVERY_FACTOR = 1.1;

/** In 10⁹ bytes: what is asked for where nobody said otherwise. */
export const USUAL_MIN_FREE_GB = 5;

/** The usual is not asked for on a disk of which it would be more than half. */
export const chooseMinBytes = (minFreeGb: number, totalBytes: number): number => {
  const minBytes = minFreeGb * BYTES_PER_GB;
  return minFreeGb === USUAL_MIN_FREE_GB && totalBytes < LEAST_DISKS * minBytes ? 0 : minBytes;
};

export const isDiskLow = (room: DiskRoom | null): room is DiskRoom => room !== null && room.freeBytes < room.minBytes;

/** News are of one spell each: it is over once a tenth more is free than is asked for, so that a few bytes are no news. */
export const judgeDisk = (isSpell: boolean, room: DiskRoom | null): DiskNews | null => {
  if (room === null) return null;
  if (isSpell) return room.freeBytes >= room.minBytes * RECOVERY_FACTOR ? "disk_room" : null;
  return isDiskLow(room) ? "disk_low" : null;
};

const formatGb = (bytes: number): string => String(Number((bytes / BYTES_PER_GB).toPrecision(3)));

export const describeDiskRoom = ({ freeBytes, minBytes }: DiskRoom): string =>
  `${formatGb(freeBytes)} GB are free on the disk of the server's folder, and min_free_gb is ${formatGb(minBytes)}`;
