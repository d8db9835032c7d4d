import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkAbility } from "./ability.ts";

export const canBeOthers: boolean = checkAbility(process.getuid?.() === 0, "root, to be other users");

export const asUid = (uid: number, argv: readonly string[]): readonly string[] => [
  ...["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups"],
  ...argv,
];

/** Runs a script of Bun as that user; the folder must be open to all. Resolves to what it printed. */
export const runScriptAs = (
  uid: number,
  folder: string,
  script: string,
  ...words: readonly (string | number)[]
): Promise<string> => {
  const path = join(folder, `script-${Bun.hash(script)}.js`);
  writeFileSync(path, script);
  const { promise, resolve } = Promise.withResolvers<string>();
  const argv = asUid(uid, [process.execPath, "--no-install", path, ...words.map(String)]);
  const child = spawn(argv[0] ?? "", argv.slice(1), {
    cwd: folder,
    env: { HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += String(data)));
  child.on("close", () => resolve(text));
  return promise;
};
