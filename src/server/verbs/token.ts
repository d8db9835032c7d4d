import { err, ok } from "../../shared/result.ts";
import { loadSettings } from "../load-settings.ts";
import type { ServerVerb } from "../server-verb.ts";
import { becomeOwner } from "./become-owner.ts";
import { rotateToken } from "./rotate-token.ts";

export const runToken: ServerVerb["run"] = async ({ flags }) => {
  if (flags["rotate"] !== true)
    return err({ message: "only the token's digest is kept: make a new one with nexus-server token --rotate" });
  const settings = loadSettings(flags);
  if (!settings.ok) return settings;
  if (settings.value.apiToken !== null) return err({ message: "the token is the setting api_token: change it there" });
  becomeOwner(settings.value.serverDir);
  const token = rotateToken(settings.value.serverDir);
  if (!token.ok) return token;
  process.stdout.write(`${token.value}\n`);
  process.stderr.write("This is shown only once; the old token is refused from now on.\n");
  return ok(0);
};
