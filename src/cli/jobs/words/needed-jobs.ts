import { ok, type Result } from "../../../base/result.ts";
import type { Failure } from "../../../command-line/command.ts";
import type { AskedFields } from "../../../wire/job-fields/job-fields.ts";
import type { Api } from "../../connection/api-client.ts";
import { readUserName } from "../../settings/user-name.ts";
import { selectJobs } from "../job-selection.ts";
import { ENDED_STATUSES } from "../list-flags.ts";

type Needs = Pick<AskedFields, "after" | "after_any">;

const findIds = async (api: Api, words: readonly string[] | null): Promise<Result<string[] | null, Failure>> => {
  if (words === null) return ok(null);
  const statuses = ["running", "queued"] as const;
  const wanted = { statuses, idStatuses: [...statuses, ...ENDED_STATUSES], user: readUserName(api.target.config) };
  const jobs = await selectJobs(api, wanted, words);
  return jobs.ok ? ok(jobs.value.map(({ id }) => id)) : jobs;
};

/** The same fields with the ids of the jobs that the words for those select which are to be waited for. */
export const findNeeds = async <Fields extends Needs>(api: Api, fields: Fields): Promise<Result<Fields, Failure>> => {
  const found: Record<string, string[] | null> = {};
  for (const name of ["after", "after_any"] as const) {
    const words = fields[name];
    if (words === undefined) continue;
    const ids = await findIds(api, words);
    if (!ids.ok) return ids;
    found[name] = ids.value;
  }
  return ok({ ...fields, ...found });
};
