import type { ByteRange } from "../../core/running/outputs.ts";

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

const findRange = (first: string, last: string, size: number): ByteRange => {
  if (first === "") return { from: Math.max(0, size - Number(last)), to: size };
  return { from: Number(first), to: last === "" ? size : Math.min(size, Number(last) + 1) };
};

/** What of a file is asked for: null is all of it, as it is where the header is none that is understood; `none` is nothing that it has. */
export const readByteRange = (header: string | undefined, size: number): ByteRange | "none" | null => {
  const [, first, last] = ONE_RANGE.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return null;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return null;
  const range = findRange(first, last, size);
  return range.from < range.to ? range : "none";
};
