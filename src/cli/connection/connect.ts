import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { resolveTarget } from "../targets/resolve-target.ts";
import { hint } from "../terminal/output.ts";
import { type Api, createApi } from "./api-client.ts";

export const connect = async (flags: FlagValues): Promise<Result<Api, Failure>> => {
  const target = await resolveTarget(flags);
  if (!target.ok) return target;
  for (const note of target.value.notes) hint(note);
  return ok(createApi(target.value));
};
