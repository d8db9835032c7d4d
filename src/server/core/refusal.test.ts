import { describe, expect, test } from "bun:test";
import type { ErrorDetail } from "../../wire/error.ts";
import { createInvalid, createUnknownJob, isUnavailable, toUnavailableError } from "./refusal.ts";

const detail = (...loc: ErrorDetail["loc"]): ErrorDetail => ({ loc, msg: "Too small", type: "too_small" });

describe("a refusal of a request that is not valid", () => {
  test.each([
    [[], "The request is not valid"],
    [[detail("body")], "Too small"],
    [[detail("body", "user")], "user: Too small"],
    [[detail("body", "jobs", 0, "user")], "jobs.0.user: Too small"],
    [[detail("query", "limit"), detail("body")], "limit: Too small (and 1 more)"],
    [[detail("query", "limit"), detail("body"), detail("body")], "limit: Too small (and 2 more)"],
  ])("says what is wrong first, and how many more there are: %j", (details, message) => {
    expect(createInvalid(details)).toEqual({ code: "VALIDATION_ERROR", message, detail: details });
  });

  test("lists at most the first hundred mistakes", () => {
    const details = Array.from({ length: 102 }, (_, index) => detail("body", index));
    expect(createInvalid(details)).toMatchObject({
      message: "0: Too small (and 101 more)",
      detail: details.slice(0, 100),
    });
  });
});

test("what was taken for a job's id is told in at most 64 characters", () => {
  expect(createUnknownJob("a".repeat(65)).message).toBe(`There is no job ${"a".repeat(64)}`);
  expect(createUnknownJob("abc").message).toBe("There is no job abc");
});

test("only an error that says so is one of a database that can't be read", () => {
  expect(isUnavailable(toUnavailableError("The disk is full"))).toBe(true);
  for (const thrown of [
    new Error("no"),
    Object.assign(new Error("no"), { kind: "other" }),
    { kind: "unavailable" },
    null,
  ])
    expect(isUnavailable(thrown)).toBe(false);
});
