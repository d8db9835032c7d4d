import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { applyVariables, listPassedOver, readGivenToken } from "./target-variables.ts";

const ENTRY = { host: "gpu-box", port: 1234, protocol: "ssh", user: "carol", api_token: "kept", colour: "blue" };
const LINK = "tcp://10.43.0.4:8081";

let before: NodeJS.ProcessEnv;

const set = (variables: Readonly<Record<string, string>>): void => void Object.assign(process.env, variables);

beforeEach(() => {
  before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith("NEXUS_")) delete process.env[name];
});

afterEach(() => {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(before, name)) delete process.env[name];
  Object.assign(process.env, before);
});

describe("NEXUS_TARGET_…", () => {
  const VARIABLES = { NEXUS_TARGET_HOST: "other-box", NEXUS_TARGET_PORT: "99", NEXUS_TARGET_API_TOKEN: "given" };

  test("are the fields of the target of NEXUS_TARGET, and the others stay as they are", () => {
    set({ NEXUS_TARGET: "lab", ...VARIABLES });
    expect(applyVariables("lab", ENTRY)).toEqual({ ...ENTRY, host: "other-box", port: "99", api_token: "given" });
    expect(listPassedOver()).toEqual([]);
  });

  test("reach no other target", () => {
    set({ NEXUS_TARGET: "lab", NEXUS_API_TOKEN: "earlier", ...VARIABLES });
    expect(applyVariables("box", ENTRY)).toBe(ENTRY);
    expect([listPassedOver(), readGivenToken("box")]).toEqual([[], undefined]);
  });

  test("are named and passed over where NEXUS_TARGET names none", () => {
    set(VARIABLES);
    expect(applyVariables("lab", ENTRY)).toBe(ENTRY);
    expect(listPassedOver()).toEqual(
      Object.keys(VARIABLES).map((name) => `${name} is passed over: it is for the target that NEXUS_TARGET names`),
    );
  });

  test("that are the addresses of services are named, without their value, and passed over", () => {
    set({ NEXUS_TARGET: "lab", NEXUS_TARGET_PORT: LINK, NEXUS_PORT: LINK });
    expect(applyVariables("lab", ENTRY)).toEqual(ENTRY);
    const notes = listPassedOver();
    expect(notes.map((note) => note.split(" ")[0])).toEqual(["NEXUS_PORT", "NEXUS_TARGET_PORT"]);
    for (const note of notes) expect(note).toContain("Docker and Kubernetes");
    expect(notes.join()).not.toContain(LINK);
  });
});

test("NEXUS_USER is nobody's login, and the earlier names of fields are told their new ones", () => {
  set({ NEXUS_TARGET: "lab", NEXUS_USER: "ada", NEXUS_HOST: "nexus.invalid", NEXUS_PROTOCOL: "http" });
  expect(applyVariables("lab", ENTRY)).toEqual(ENTRY);
  expect(listPassedOver()).toEqual(
    ["HOST", "PROTOCOL"].map(
      (field) => `NEXUS_${field} is passed over: NEXUS_TARGET_${field} is for the target that NEXUS_TARGET names`,
    ),
  );
});

describe("NEXUS_API_TOKEN", () => {
  test("is the earlier name of NEXUS_TARGET_API_TOKEN, which wins", () => {
    set({ NEXUS_TARGET: "lab", NEXUS_API_TOKEN: "earlier" });
    expect(applyVariables("lab", ENTRY)).toEqual({ ...ENTRY, api_token: "earlier" });
    set({ NEXUS_TARGET_API_TOKEN: "given" });
    expect(applyVariables("lab", ENTRY)).toEqual({ ...ENTRY, api_token: "given" });
  });

  test("without NEXUS_TARGET is for the target that is being added, and for no other", () => {
    set({ NEXUS_API_TOKEN: "earlier" });
    expect([readGivenToken("lab"), applyVariables("lab", ENTRY)]).toEqual(["earlier", ENTRY]);
    expect(listPassedOver()).toEqual(["NEXUS_API_TOKEN is passed over: it is for the target that NEXUS_TARGET names"]);
  });
});
