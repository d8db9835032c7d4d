import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../../tests/support/programs.ts";
import { EXIT_CODES } from "../../../command-line/usage.ts";
import { STATUS_OF_ERROR } from "../../../server/api/http/error-response.ts";
import { ERROR_CODES, type ErrorCode } from "../../../wire/error.ts";
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

const GUIDE = readFileSync(join(ROOT, "docs", "api.md"), "utf8")
  .split("\n")
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test.each(ERROR_CODES)("docs/api.md says of %s with which status and exit code it is told", (code) => {
  expect(GUIDE).toContainEqual([`\`${code}\``, String(STATUS_OF_ERROR[code]), String(EXIT_CODE_OF_ERROR[code])]);
});

const CLI = readFileSync(join(ROOT, "docs", "cli.md"), "utf8").replaceAll(/ +\|/g, " |");

test.each(EXIT_CODES)("docs/cli.md says what exit code $exitCode means", ({ exitCode, means }) => {
  expect(CLI.replaceAll(/\| (\d+) +/g, "| $1 ")).toContain(`| ${exitCode} | ${means} |`);
});
