import { join } from "node:path";
import { escapeText } from "../../base/escape-text.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Failure } from "../../command-line/command.ts";
import { failUsage } from "../../command-line/usage.ts";
import { readJobrc, readOwnText } from "../settings/environment-files.ts";
import { isFile } from "../settings/write-file.ts";
import type { Project } from "./read-project.ts";

/** What bash reads before a job: the file that the project names, else the user's own. Null for none. */
export const chooseJobrc = ({ path, root, settings: { jobrc } }: Project): Result<string | null, Failure> => {
  if (jobrc === undefined) return readJobrc();
  if (jobrc === false) return ok(null);
  const file = join(root, jobrc);
  return isFile(file)
    ? readOwnText(file)
    : failUsage(escapeText(`${path}: there is no file ${jobrc}, which jobrc names`));
};
