import { expect, test } from "bun:test";
import { EXIT_CODES } from "../../command-line/usage.ts";
import { STATUS_OF_ERROR } from "../../server/api/http/error-response.ts";
import { ERROR_CODES, type ErrorCode } from "../../wire/error.ts";
import { EXIT_CODE_OF_ERROR, judgeRefusal } from "./refusal-kinds.ts";

const KINDS = EXIT_CODES.map(({ exitCode }) => exitCode).filter((code) => code > 0 && code < 100);

test.each(ERROR_CODES)("%s has an exit code of the contract, which a server's word for it decides alone", (code) => {
  expect(KINDS).toContain(EXIT_CODE_OF_ERROR[code]);
  for (const status of [200, 404, 500]) expect(judgeRefusal(code, status)).toBe(EXIT_CODE_OF_ERROR[code]);
});

test("no error code has a kind that the API does not have", () => {
  expect(Object.keys(EXIT_CODE_OF_ERROR).toSorted()).toEqual([...ERROR_CODES].toSorted());
});

const AS_STATUS_SAYS = new Set<ErrorCode>([
  "INVALID_JOB_STATE",
  "ARTIFACT_NOT_FOUND",
  "GPU_ERROR",
  "RANGE_NOT_SATISFIABLE",
]);

test.each(ERROR_CODES.filter((code) => !AS_STATUS_SAYS.has(code)))(
  "a word that a newer server has for %s is told as it is, by its status",
  (code) => {
    const status = STATUS_OF_ERROR[code];
    const known = EXIT_CODE_OF_ERROR[code];
    expect(judgeRefusal("WORD_OF_LATER", status)).toBe(known);
  },
);
