const isNoName = (part: string): boolean => part === "" || part === "." || part === "..";

const listParts = (glob: string): readonly string[] =>
  glob
    .replace(/^(\.\/+)+/, "")
    .replace(/\/+$/, "")
    .split("/");

/** What is wrong with a pattern of a job's files, which are named from the top of its folder; null where nothing is. */
export const describeGlobMistake = (glob: string): string | null => {
  const wanted = glob.replace(/^!/, "");
  if (wanted === "") return "The pattern is empty";
  if (wanted.includes("\0")) return "The pattern contains a NUL byte";
  const parts = listParts(wanted);
  const isElsewhere = parts[0] === "~" || parts.some(isNoName);
  return isElsewhere
    ? "The pattern can match nothing: it begins at the top of the job's folder, without /, ~ or .., as in runs/**/*.pt"
    : null;
};

/** Null where the first of them keeps something. */
export const describeFirstMistake = ([first]: readonly string[]): string | null =>
  first?.startsWith("!") === true
    ? "The first pattern takes out of nothing: begin with one that keeps, such as **"
    : null;
