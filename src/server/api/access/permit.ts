import { err, type Result } from "../../../base/result.ts";
import { type Asked, decideAccess, type Identity } from "../../core/access/access.ts";
import type { Refusal } from "../../core/refusal.ts";
import type { AppRequest } from "../context.ts";

/** Who asks, if this may be done for them; a refusal is noted for the line that tells of the request. */
export const permit = (request: AppRequest, asked: Asked): Result<Identity, Refusal> => {
  const decision = decideAccess({ ...request.get("facts"), asked });
  if (decision.ok) return decision;
  request.set("refusal", decision.error.code);
  return err(decision.error);
};
