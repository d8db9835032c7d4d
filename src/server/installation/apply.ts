import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeError } from "../../base/describe-error.ts";
import { err, ok, type Problem, type Result } from "../../base/result.ts";
import { replaceWith } from "../../tools/replace-file.ts";
import type { InstallStep, Owner, ServerAct } from "./plan.ts";
import { describeTidying, tidy } from "./tidy.ts";

type Done = Promise<Result<void, Problem>>;

/** `begin` lets nothing start, unless somebody has seen to that before; `awaitIdle` waits until nothing runs; `end` takes back what `begin` did, and nothing else. */
export type UpgradeDrain = Readonly<{ begin: () => Done; awaitIdle: () => Done; end: () => Done }>;

/** `makeCertificate` returns PEM texts. `checkJob` runs one job through the server and says what went wrong. */
export type Tools = Readonly<{
  run: (argv: readonly [string, ...string[]]) => Done;
  chown: (path: string, owner: Owner) => Done;
  makeCertificate: (names: readonly string[]) => Promise<Readonly<{ key: string; certificate: string }>>;
  waitHealthy: () => Done;
  newToken: () => Promise<Result<string, Problem>>;
  checkJob: () => Done;
  showResult: () => Done;
  drain: UpgradeDrain;
  stop: (pid: number) => Done;
  say: (line: string) => void;
}>;

const PRIVATE = 0o600;

const ACTS: Readonly<Record<ServerAct, string>> = {
  drain: "let nothing start",
  "await idle": "wait until no job runs",
  resume: "let jobs start again, unless somebody else keeps them from it",
  wait: "wait until the server answers",
  "new token": "make an API token and show it once",
  "check job": "run a job and see that it ends well",
  "show result": "say how it is reached",
};

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** One line for the plan that `--dry-run` prints. */
export const describeStep = (step: InstallStep): string => {
  switch (step.kind) {
    case "run":
      return `run ${step.argv.join(" ")}`;
    case "copy":
      return `copy ${step.from} to ${step.to}`;
    case "folder":
      return `make ${step.path} (${octal(step.mode)}, ${step.owner})`;
    case "write":
      return `write ${step.path} (${octal(step.mode)}, ${step.owner})`;
    case "certificate":
      return `make a TLS key and certificate for ${step.names.join(", ")} in ${step.certificate}`;
    case "server":
      return ACTS[step.act];
    case "hint":
      return step.text;
    default:
      return describeTidying(step);
  }
};

const placeFile = (path: string, mode: number, fill: (draft: string) => void): void => {
  mkdirSync(dirname(path), { recursive: true });
  replaceWith(path, mode, fill);
};

const writeText = async (
  tools: Tools,
  file: Readonly<{ path: string; mode: number; owner: Owner; text: string }>,
): Done => {
  placeFile(file.path, file.mode, (draft) => writeFileSync(draft, file.text, { mode: PRIVATE }));
  return tools.chown(file.path, file.owner);
};

const makeFolder = async (tools: Tools, { path, mode, owner }: Extract<InstallStep, { kind: "folder" }>): Done => {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  return tools.chown(path, owner);
};

const makeCertificate = async (tools: Tools, step: Extract<InstallStep, { kind: "certificate" }>): Done => {
  const made = await tools.makeCertificate(step.names);
  const key = await writeText(tools, { path: step.key, mode: PRIVATE, owner: "nexus", text: made.key });
  if (!key.ok) return key;
  return writeText(tools, { path: step.certificate, mode: 0o644, owner: "nexus", text: made.certificate });
};

const showToken = async (tools: Tools): Done => {
  const token = await tools.newToken();
  if (!token.ok) return token;
  tools.say(`API token (shown only once): ${token.value}`);
  return ok(undefined);
};

const askServer = (act: ServerAct, tools: Tools): Done => {
  switch (act) {
    case "drain":
      return tools.drain.begin();
    case "await idle":
      return tools.drain.awaitIdle();
    case "resume":
      return tools.drain.end();
    case "wait":
      return tools.waitHealthy();
    case "new token":
      return showToken(tools);
    case "check job":
      return tools.checkJob();
    case "show result":
      return tools.showResult();
  }
};

const applyStep = async (step: InstallStep, tools: Tools): Done => {
  switch (step.kind) {
    case "run":
      return tools.run(step.argv);
    case "copy":
      return ok(placeFile(step.to, step.mode, (draft) => copyFileSync(step.from, draft)));
    case "folder":
      return makeFolder(tools, step);
    case "write":
      return writeText(tools, step);
    case "certificate":
      return makeCertificate(tools, step);
    case "server":
      return askServer(step.act, tools);
    case "hint":
      return ok(tools.say(step.text));
    default:
      return tidy(step, tools.stop);
  }
};

const tryStep = async (step: InstallStep, tools: Tools): Done => {
  try {
    return await applyStep(step, tools);
  } catch (error) {
    return err({ message: describeError(error) });
  }
};

const isWord = (step: InstallStep): boolean =>
  step.kind === "hint" || (step.kind === "server" && step.act === "show result");

/** Carries the steps out in order and stops at the first that fails; all can be done again. */
export const applySteps = async (steps: readonly InstallStep[], tools: Tools): Done => {
  for (const step of steps) {
    if (!isWord(step)) tools.say(`· ${describeStep(step)}`);
    const done = await tryStep(step, tools);
    if (!done.ok) return err({ message: `could not ${describeStep(step)}: ${done.error.message}` });
  }
  return ok(undefined);
};
