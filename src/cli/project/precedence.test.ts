import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { FlagValues } from "../../command-line/command.ts";
import { applyDefaults } from "./apply-defaults.ts";
import { listKeyMistakes } from "./project-keys.ts";
import { chooseSettings } from "./project-settings.ts";

const VALUES = {
  gpus: fc.integer({ min: 0, max: 9 }),
  priority: fc.integer({ min: -9, max: 9 }),
  local: fc.boolean(),
  jobrc: fc.constantFrom("a.sh", false as const),
  outputs: fc.constantFrom(["a/**"], ["b"], false as const),
  link: fc.subarray(["data", "x=/y"]),
  notify: fc.subarray(["discord" as const]),
};

const settings = fc.record(VALUES, { requiredKeys: [] });
const env = fc.dictionary(fc.constantFrom("A", "B", "C"), fc.constantFrom("1", "2", "3"));

describe("what a project file says", () => {
  test("for a target wins over what it says for all, key by key, and of variables each", () => {
    fc.assert(
      fc.property(settings, settings, env, env, fc.constantFrom("lab", "other"), (common, own, all, its, target) => {
        const table = { ...common, env: all, target: { lab: { ...own, env: its } } };
        const isMeant = target === "lab";
        expect(listKeyMistakes(table)).toEqual([]);
        expect(chooseSettings(table, target)).toEqual({
          ...common,
          ...(isMeant ? own : {}),
          env: { ...all, ...(isMeant ? its : {}) },
        });
      }),
    );
  });

  test("for a target of any name is never taken from what tables have of themselves", () => {
    for (const name of ["toString", "__proto__", "constructor"])
      expect(chooseSettings({ gpus: 1, target: {} }, name)).toEqual({ gpus: 1, env: {} });
  });

  test("gives way to each flag, and fills in where none says anything", () => {
    const flags = fc.record(
      {
        gpus: fc.constant("7"),
        "gpu-idxs": fc.constant("0,1"),
        cpu: fc.constant(true),
        priority: fc.constant("5"),
        outputs: fc.constant(["mine"]),
        "no-outputs": fc.constant(true),
        local: fc.constant(true),
      },
      { requiredKeys: [] },
    );
    const rules: readonly (readonly [
      "gpus" | "priority" | "local" | "outputs",
      readonly string[],
      (value: unknown) => FlagValues,
    ])[] = [
      ["gpus", ["gpus", "gpu-idxs", "cpu"], (value) => ({ gpus: String(value) })],
      ["priority", ["priority"], (value) => ({ priority: String(value) })],
      ["local", ["local"], (value) => ({ local: value === true })],
      [
        "outputs",
        ["outputs", "no-outputs"],
        (value) => (value === false ? { "no-outputs": true } : { outputs: value as string[] }),
      ],
    ];
    fc.assert(
      fc.property(flags, settings, (given, project) => {
        const silent = rules.filter(
          ([key, names]) => project[key] !== undefined && !names.some((name) => name in given),
        );
        const filled: FlagValues = Object.assign({}, given, ...silent.map(([key, , convert]) => convert(project[key])));
        expect(applyDefaults(given, project)).toEqual(filled);
      }),
    );
  });
});
