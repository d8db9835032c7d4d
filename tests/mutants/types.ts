import { applyBreak, type Break } from "./breaks.ts";
import type { Workplace } from "./workplace.ts";

const CONFIG = "tsconfig.breaks.json";
const LIMIT_MS = 600_000;

const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };

const runChecker = async (place: Workplace, include: readonly string[]): Promise<string> => {
  place.write(CONFIG, JSON.stringify({ extends: "./tsconfig.json", compilerOptions, include }));
  const { kind, output } = await place.run(["node_modules/.bin/tsc", "--pretty", "false", "-p", CONFIG], LIMIT_MS);
  if (kind !== "passed" && !output.includes("error TS")) throw new Error(`tsc ${kind}: ${output}`);
  return output;
};

/** Those that the types refuse, found by one run of the checker over a file for each break. What is left unused is no mistake here. */
export const findRefused = async (breaks: readonly Break[], place: Workplace): Promise<ReadonlySet<Break>> => {
  const variants = breaks.map((one, index) => ({ one, path: one.path.replace(/\.ts$/, `.break-${index}.ts`) }));
  const paths = variants.map(({ path }) => path);
  for (const { one, path } of variants) place.write(path, applyBreak(one, place.read(one.path)));
  try {
    const output = await runChecker(place, paths);
    return new Set(variants.filter(({ path }) => output.includes(`${path}(`)).map(({ one }) => one));
  } finally {
    for (const path of [...paths, CONFIG]) place.remove(path);
  }
};
