import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digestText } from "../../../tools/digest.ts";
import { locateHome } from "../../settings/config-file.ts";

type Sizes = Readonly<{ objects: string; sizes: readonly number[] }>;

type Ask = (objects: readonly string[]) => Promise<readonly number[]>;

const FEW = 500;
const NONE: Sizes = { objects: "", sizes: [] };

const locateSizes = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(locateHome(), ".cache"), "nexus", "object-sizes");

const renderSizes = ({ objects, sizes }: Sizes): string => {
  const text = `${objects}\n${sizes.join(" ")}`;
  return `${digestText(text)}\n${text}`;
};

const parseSizes = (content: string): Sizes => {
  const [, objects = "", numbers = ""] = content.split("\n");
  const sizes = { objects, sizes: numbers.split(" ").map(Number) };
  return renderSizes(sizes) === content ? sizes : NONE;
};

const readSizes = (path: string): Sizes => {
  try {
    return parseSizes(readFileSync(path, "latin1"));
  } catch {
    return NONE;
  }
};

const removeIfPossible = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
};

const replaceIfPossible = (path: string, content: string): void => {
  const draft = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, content, { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    removeIfPossible(draft);
  }
};

const complete = async (objects: readonly string[], kept: Sizes, ask: Ask): Promise<readonly number[]> => {
  const known = new Map(kept.objects.split(" ").map((object, index) => [object, kept.sizes[index]]));
  const unknown = objects.filter((object) => !known.has(object));
  const asked = unknown.length === 0 ? [] : await ask(unknown);
  const found = new Map(unknown.map((object, index) => [object, asked[index]]));
  return objects.map((object) => known.get(object) ?? found.get(object) ?? Number.NaN);
};

/**
 * What `ask` says of each object, NaN for one that is not here. The sizes of the repository that was last asked for are kept, if they are many:
 * an object's never changes, and git opens a file for each that is in no pack.
 */
export const findSizes = async (objects: readonly string[], ask: Ask): Promise<readonly number[]> => {
  if (objects.length < FEW) return ask(objects);
  const path = locateSizes();
  const kept = readSizes(path);
  if (kept.objects === objects.join(" ")) return kept.sizes;
  const sizes = await complete(objects, kept, ask);
  const isHere = (_item: unknown, index: number): boolean => !Number.isNaN(sizes[index]);
  const here = { objects: objects.filter(isHere).join(" "), sizes: sizes.filter(isHere) };
  if (here.objects !== kept.objects) replaceIfPossible(path, renderSizes(here));
  return sizes;
};
