import { ok, type Result } from "../../base/result.ts";
import type { Failure, FlagValues } from "../../command-line/command.ts";
import { resolveTarget } from "../targets/target.ts";
import { type Api, createApi } from "./api-client.ts";

export const connect = async (flags: FlagValues): Promise<Result<Api, Failure>> => {
  const target = await resolveTarget(flags);
  return target.ok ? ok(createApi(target.value)) : target;
};
