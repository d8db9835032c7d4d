import { expect, test } from "bun:test";
import fc from "fast-check";
import { createEnded } from "../../../../tests/support/samples.ts";
import { createTwiml } from "./twiml.ts";

test("a call tells node, job, status, error and command, twice", () => {
  const job = createEnded("k3f", { status: "failed", exitCode: 1, errorMessage: "Job failed with exit code 1" });
  const said = "Nexus on atlas: job k 3 f is failed. Job failed with exit code 1. Its command is: python train.py";
  expect(createTwiml(job).match(/<Say>[^<]*<\/Say>/g)).toEqual([`<Say>${said}</Say>`, `<Say>${said}</Say>`]);
});

test("a command can't speak TwiML", () => {
  const twiml = createTwiml(createEnded("a", { command: `echo "</Say><Dial>+1</Dial>" & 'x'` }));
  expect(twiml).not.toContain("<Dial>");
  expect(twiml).toContain("echo &quot;&lt;/Say&gt;&lt;Dial&gt;+1&lt;/Dial&gt;&quot; &amp; &apos;x&apos;");
});

test("it is well-formed and within Twilio's 4000 characters, whatever the job", () => {
  const text = fc.string({ unit: "binary", maxLength: 1000 }).map((part) => part.repeat(3));
  fc.assert(
    fc.property(text, text, (command, errorMessage) => {
      const twiml = createTwiml(createEnded("a", { status: "failed", command, errorMessage }));
      expect(twiml.isWellFormed()).toBe(true);
      expect(twiml).not.toMatch(/[\p{Cc}\ufffe\uffff]/u);
      expect(twiml.match(/</g)).toHaveLength(8);
    }),
    { numRuns: 50 },
  );
  const worst = createEnded("a".repeat(64), {
    status: "failed",
    command: "&".repeat(9999),
    errorMessage: '"'.repeat(9999),
  });
  expect(createTwiml(worst).length).toBeLessThanOrEqual(4000);
});
