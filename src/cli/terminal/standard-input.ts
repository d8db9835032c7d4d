import { readFileSync } from "node:fs";

const STANDARD_INPUT = 0;

/** A secret that was piped in, without the line's end. */
export const readStandardInput = (): string => readFileSync(STANDARD_INPUT, "utf8").replace(/\r?\n$/, "");
