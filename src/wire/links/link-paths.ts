/** A link in a job's folder: `path` begins at its top, `target` is absolute, on the server's machine. */
export type JobLink = Readonly<{ path: string; target: string }>;

const LONGEST_PATH = 4095;
const NO_NAMES = ["", ".", ".."];

const describeText = (text: string): string | null => {
  if (text.includes("\0")) return "The path contains a NUL byte";
  return Buffer.byteLength(text) > LONGEST_PATH ? `The path is longer than ${LONGEST_PATH} bytes` : null;
};

/** What is wrong with a path below the top of the code; null where nothing is. */
export const describePathMistake = (path: string): string | null => {
  if (path === "" || path === ".") return "The path is the top itself, not one below it";
  const parts = path.split("/");
  if (parts.some((part) => NO_NAMES.includes(part)))
    return "The path begins at the top of the code and stays below it, without a / at its beginning or .., as data/train";
  return describeText(path);
};

/** The same for that of a link. */
export const describeLinkMistake = (path: string): string | null =>
  path.split("/").includes(".git") ? "The path is in .git, where nothing can be linked" : describePathMistake(path);

export const describeTargetMistake = (target: string): string | null =>
  target.startsWith("/") ? describeText(target) : "The target is no absolute path, as /data/train";

/** What is wrong with them together. */
export const describeLinksMistake = (paths: readonly string[]): string | null => {
  const sorted = paths.toSorted();
  const twice = sorted.find((path, index) => sorted[index + 1] === path);
  if (twice !== undefined) return `${twice} is linked twice`;
  const known = new Set(paths);
  const below = paths.find((path) =>
    path.split("/").some((_part, at, parts) => at > 0 && known.has(parts.slice(0, at).join("/"))),
  );
  return below === undefined ? null : `${below} lies in another link`;
};
