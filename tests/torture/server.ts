import type { OnStep } from "../../src/server/core/telemetry/steps.ts";
import { main } from "../../src/server/main.ts";

const dieAt = (step: string, passes: number): OnStep => {
  let left = passes;
  return (reached) => {
    if (reached !== step) return;
    left -= 1;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
  };
};

const [step = "", passes = "1"] = (process.env["NS_TORTURE_DIE_AT"] ?? "").split(":");
process.exit(await main(process.argv.slice(2), dieAt(step, Number(passes))));
