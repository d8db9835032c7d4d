import { execFileSync } from "node:child_process";
import { type Config, readOption } from "./config-file.ts";

const askSystem = (): string => {
  try {
    return execFileSync("id", ["-un"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
};

export const readUserName = (config: Config): string => {
  const named = readOption(config, "user");
  return typeof named === "string" && named !== ""
    ? named
    : process.env["USER"] || process.env["LOGNAME"] || askSystem();
};
