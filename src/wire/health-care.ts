import type { Health } from "./node.ts";

type Disk = Pick<NonNullable<Health["disk"]>, "percent_used">;

const FULL_PERCENT = 95;
const SCARCE_PERCENT = 90;

/** A disk that jobs will soon find full. */
export const isScarce = (disk: Disk | null): boolean => disk !== null && disk.percent_used > SCARCE_PERCENT;

/** Whether somebody should do something about the machine at once: that it is busy is what it is for. */
export const needsCare = ({ disk }: Readonly<{ disk: Disk | null }>): boolean =>
  disk !== null && disk.percent_used > FULL_PERCENT;
