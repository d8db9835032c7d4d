import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, NX } from "../../support/programs.ts";
import { createWorld, type World } from "../../support/world.ts";

const sources: readonly Readonly<{ source: string; lines: readonly string[] }>[] = JSON.parse(
  readFileSync(join(FIXTURES, "command-lines.json"), "utf8"),
);
const lines = sources.flatMap((one) => one.lines);

const STUB = `#!/bin/sh
printf '%s\\0' "\${0##*/}" "$NCCL_IB_DISABLE" "$@" >"$RECORD"
`;

let world: World;
let path: string;

beforeAll(async () => {
  world = await createWorld();
  await world.startServer();
  const bin = join(world.folder, "stubs");
  mkdirSync(bin);
  for (const name of ["python", "torchrun"]) {
    writeFileSync(join(bin, name), STUB);
    chmodSync(join(bin, name), 0o755);
  }
  path = `${bin}:${process.env["PATH"] ?? ""}`;
});

afterAll(() => world.dispose());

const record = (name: string): string => join(world.folder, `record-${name}`);

const runInBash = (line: string, env: NodeJS.ProcessEnv): number | null =>
  spawnSync("bash", ["-c", line], { cwd: world.home, env: { ...world.env, ...env } }).status;

const expectSame = (how: string): void =>
  expect(readFileSync(record(how), "utf8").split("\0")).toEqual(readFileSync(record("plain"), "utf8").split("\0"));

test.each(lines)("%s means in a job what it means in a shell", (line) => {
  expect(runInBash(line, { PATH: path, RECORD: record("plain") })).toBe(0);
  const flags = (how: string): string => `-c --no-git -e PATH='${path}' -e RECORD='${record(how)}'`;
  expect(runInBash(`'${NX}' run ${flags("run")} ${line}`, {})).toBe(0);
  expectSame("run");
  expect(runInBash(`'${NX}' wait "$('${NX}' add -q ${flags("add")} ${line})"`, {})).toBe(0);
  expectSame("add");
});
