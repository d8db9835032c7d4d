import { posix } from "node:path";
import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { describeLinkMistake, describeTargetMistake } from "../../wire/links/link-paths.ts";

/** A link as it is asked for: `path` begins at the top of the code; without a target it leads to the user's own file of that path. */
export type WantedLink = Readonly<{ path: string; target: string | null }>;

const TARGET = "=/";

const tidy = (path: string): string =>
  path
    .replace(/\/+/g, "/")
    .replace(/^(\.\/)+/, "")
    .replace(/(?<=.)\/$/, "");

const enter = (path: string, prefix: string): string => {
  const [above, name] = [posix.dirname(prefix), tidy(path)];
  if (prefix === "" || name.startsWith("/")) return name;
  if (name === "" || name === ".") return prefix;
  return name === ".." || name.startsWith("../")
    ? enter(name.slice(3), above === "." ? "" : above)
    : `${prefix}/${name}`;
};

/** As `PATH` or `PATH=ABSOLUTE`; the path begins where the user stands, which is `prefix` below the top. */
export const readLinkText = (text: string, prefix = ""): Result<WantedLink, Problem> => {
  const split = text.indexOf(TARGET);
  const [path, target] = split === -1 ? [text, null] : [text.slice(0, split), text.slice(split + 1)];
  const entered = path === "" ? "" : enter(path, prefix);
  const message = describeLinkMistake(entered) ?? (target === null ? null : describeTargetMistake(target));
  return message === null ? ok({ path: entered, target }) : err({ message });
};
