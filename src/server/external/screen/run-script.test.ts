import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { quoteWord } from "../../../base/quote-word.ts";
import { deriveLaunchToken } from "../../core/jobs/launch-token.ts";
import { renderCommandScript, renderOuterScript } from "./run-script.ts";

const job = { command: "echo hi", jobrc: null, artifactId: null };

const runBash = (script: string): string => spawnSync("bash", ["-c", script]).stdout.toString();

describe("quoteWord", () => {
  test("gives bash back any text", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
        const printed = runBash(`printf '%s\\0' ${texts.map(quoteWord).join(" ")}`);
        expect(printed).toBe(texts.length === 0 ? "\0" : texts.map((value) => `${value}\0`).join(""));
      }),
      { numRuns: 30 },
    );
  });

  test.each(["'", "''", "\\'", '$(id) `id` "$x"', "a\nb", "!\t🚀"])("keeps %p", (text) => {
    expect(runBash(`printf %s ${quoteWord(text)}`)).toBe(text);
  });
});

describe("deriveLaunchToken", () => {
  test("differs for launches a microsecond apart, and fits a file name", () => {
    const tokens = [1_700_000_000, 1_700_000_000.000001, 1_700_000_000.5].map((startedAt) =>
      deriveLaunchToken({ startedAt }),
    );
    expect(new Set(tokens).size).toBe(3);
    for (const token of tokens) expect(token).toMatch(/^[a-z0-9]+$/);
  });
});

describe("the scripts", () => {
  test("are bash, whatever the command and the jobrc", () => {
    const artifactId = "a" as never;
    for (const script of [
      renderOuterScript({ startedAt: 1 }),
      renderCommandScript({ ...job, artifactId, jobrc: "if [ '" }),
    ]) {
      expect(spawnSync("bash", ["-n"], { input: script }).stderr.toString()).toBe("");
    }
  });

  test("the outer one claims its launch before anything else", () => {
    const script = renderOuterScript({ startedAt: 1_700_000_000 });
    expect(script).toContain(`claim-${deriveLaunchToken({ startedAt: 1_700_000_000 })}`);
    expect(script).not.toContain("echo hi");
  });

  test("the inner one ends with the command as it is", () => {
    const command = "cat <<'EOF'\n$x 'y'\nEOF";
    expect(renderCommandScript({ ...job, command }).endsWith(`\nset -o pipefail\n${command}\n`)).toBe(true);
  });

  test("the inner one unpacks only if there is an artifact", () => {
    expect(renderCommandScript(job)).not.toContain("tar ");
    expect(renderCommandScript({ ...job, artifactId: "a" as never })).toContain("tar --extract --file=artifact");
  });
});
