import { expect, test } from "bun:test";
import { ERROR_CODES } from "../../../wire/error.ts";
import { createLimitReached, createRefusal } from "../../core/refusal.ts";
import { respondRefusal, STATUS_OF_ERROR } from "./error-response.ts";

const TOLD: Readonly<Record<number, readonly string[]>> = {
  401: ["www-authenticate: Bearer"],
  408: ["connection: close"],
  429: ["retry-after: 5"],
  503: ["retry-after: 5"],
};

test.each(ERROR_CODES.map((code) => [code]))("%s tells a client what to do next, and no other refusal that", (code) => {
  const { status, headers } = respondRefusal(createRefusal(code, "no"));
  const told = [...headers].map(([name, value]) => `${name}: ${value}`).filter((line) => !line.startsWith("content-"));
  expect([status, told]).toEqual([STATUS_OF_ERROR[code], [...(TOLD[status] ?? [])]]);
});

test("a limit that was reached says when to ask again, and what is given beside goes first", () => {
  const reached = createLimitReached("full", { limit: "max_queued", max: 1, asked: 2 });
  expect(respondRefusal(reached).headers.get("retry-after")).toBe("60");
  expect(respondRefusal(reached, { "Retry-After": "7" }).headers.get("retry-after")).toBe("7");
});
