import { formatBytes } from "../base/format-bytes.ts";

type Amount = Readonly<{ files: number; bytes: number }>;

const DATE_AND_MINUTE = 16;
const NONE: Amount = { files: 0, bytes: 0 };

/** As in `3 files, 1.2 GB`. */
export const describeAmount = ({ files, bytes }: Amount): string =>
  `${files} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;

/** ` (left out: 2 files, 4 B)`, empty where that is nothing. */
export const describeLeftOut = (leftOut: Amount): string =>
  leftOut.files === 0 ? "" : ` (left out: ${describeAmount(leftOut)})`;

const describeSome = (id: string, amount: Amount): string =>
  `${describeAmount(amount)} ${amount.files === 1 ? "is" : "are"} kept: nx pull ${id}`;

/**
 * What is told where a job's files were kept: `3 files, 1.2 GB are kept: nx pull k3f9ab`, or `nothing is kept (left out: 2 files, 4 B)`; null
 * where it made nothing.
 */
export const describeKept = (id: string, amount: Amount, leftOut: Amount = NONE): string | null => {
  if (amount.files > 0) return describeSome(id, amount) + describeLeftOut(leftOut);
  return leftOut.files === 0 ? null : `nothing is kept${describeLeftOut(leftOut)}`;
};

/** `at` in Unix seconds. */
export const formatMinute = (at: number): string =>
  `${new Date(at * 1000).toISOString().slice(0, DATE_AND_MINUTE).replace("T", " ")} UTC`;

/** The same once they go, also where it is not known how many there are: `until` in Unix seconds. */
export const describeGoing = (id: string, amount: Amount, until: number): string => {
  const what = amount.files === 0 ? `what job ${id} wrote` : describeAmount(amount);
  return `${what} ${amount.files > 1 ? "go" : "goes"} on ${formatMinute(until)}: nx pull ${id}`;
};
