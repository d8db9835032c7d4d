import { ok, type Result } from "../shared/result.ts";
import { type Api, createApi } from "./api-client.ts";
import { resolveTarget } from "./target.ts";
import type { Failure, FlagValues } from "./verb.ts";

export const connect = async (flags: FlagValues): Promise<Result<Api, Failure>> => {
  const target = await resolveTarget(flags);
  return target.ok ? ok(createApi(target.value)) : target;
};
