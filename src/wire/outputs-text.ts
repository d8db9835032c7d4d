import { formatBytes } from "../base/format-bytes.ts";
import type { WireOutputs } from "./files.ts";

type Amount = Readonly<{ files: number; bytes: number }>;

const isOne = ({ files }: Amount): boolean => files === 1;

/** As in "3 files, 1.2 GB". */
export const describeAmount = (amount: Amount): string =>
  `${amount.files} ${isOne(amount) ? "file" : "files"}, ${formatBytes(amount.bytes)}`;

/** With a blank before it; empty where nothing was left out. */
export const describeLeftOut = ({ left_out }: WireOutputs): string =>
  left_out.files === 0 ? "" : ` (left out: ${describeAmount(left_out)})`;

/** As in "3 files, 1.2 GB are kept: nx pull k3f9ab"; null where nothing is. */
export const describeKept = (id: string, outputs: WireOutputs): string | null =>
  outputs.state === "kept" && outputs.files > 0
    ? `${describeAmount(outputs)} ${isOne(outputs) ? "is" : "are"} kept: nx pull ${id}${describeLeftOut(outputs)}`
    : null;
