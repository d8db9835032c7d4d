import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NX } from "../../../src/cli/program.ts";
import { createPipedNx } from "../../support/piped-nx.ts";
import { testWrongFlags } from "../../support/wrong-flags.ts";

await testWrongFlags(NX);

describe("a wrong value", () => {
  let home: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "nexus-usage-"));
  });

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const nx = createPipedNx(() => home);

  const wrongValues: readonly (readonly string[])[] = [
    ["run", "-g", "two", "true"],
    ["run", "-i", "0;1", "true"],
    ["run", "-i", "0,1,0", "true"],
    ["run", " "],
    ["add", ""],
    ["run", "-n", "pigeon", "true"],
    ["run", "-e", "1=2", "true"],
    ["run", "--env-file", "/nowhere", "true"],
    ["add", "-r", "0", "true"],
    ["add", "-p", "10000", "true"],
    ["run", "queue"],
    ["add", "-y", "help"],
    ["add", "--dry-run", "python3 train.py", "-g", "2"],
    ["redo", "abc123", "--", "python3 train.py", "-g", "2"],
    ["queue", "-n", "none"],
    ["history", "-n", "-1"],
    ["logs", "-n", "x"],
    ["edit", "abc123", "-p", "high"],
    ["edit", "abc123", "-g", "1.5"],
    ["blacklist", "add", "one"],
    ["queue", "-u", ""],
    ["queue", "-t", ""],
    ["queue", "--target="],
    ["get", ""],
    ["why", ""],
    ["wait", ""],
    ["edit", "", "-p", "1"],
    ["edit", "abc123", "-c", " "],
    ["get", "abc123", "extra"],
    ["diff", "abc123", "def456", "extra"],
    ["code", "abc123", "extra"],
    ["logs", "abc123", "extra"],
    ["attach", "abc123", "extra"],
    ["edit", "abc123", "extra", "-c", "true"],
    ["target", "remove", "lab", "extra"],
    ["config", "show", "extra"],
    ["env", "set", "A=1", "B=2"],
    ["jobrc", "show", "extra"],
    ["queu"],
    ["help", "run", "extra"],
    ["help", "queu"],
  ];

  test.each(wrongValues.map((words) => [words]))("nx %j is one line and exit 2", async (words) => {
    const finished = await nx(words);
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(finished.stderr).toMatch(/^nx: [^\n]+\n$/);
  });

  test.each([
    ["NEXUS_ENABLE_GIT_TAG_PUSH", "maybe", "true or false"],
    ["NEXUS_AUTOSTART", "2", "true or false"],
    ["NEXUS_DEFAULT_NOTIFICATIONS", "discord,pigeon", "pigeon"],
    ["NEXUS_DEFAULT_INTEGRATIONS", "wand", "wand"],
    ["NS_PORT", "none", "whole number"],
  ])("%s=%s is one line and exit 2", async (name, value, problem) => {
    const finished = await nx(["queue"], "", { [name]: value });
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(finished.stderr).toMatch(/^nx: [^\n]+\n$/);
    expect(finished.stderr).toContain(name);
    expect(finished.stderr).toContain(problem);
  });
});
