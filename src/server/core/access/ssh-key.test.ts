import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAttachRequest } from "../running/attach-request.ts";
import { hasAuthorizedKey, opensFolder, parseSshKey, renderAuthorizedKey } from "./ssh-key.ts";

const text = (value: string): Buffer => Buffer.from(value);

const joinFields = (...fields: readonly Uint8Array[]): string => {
  const parts = fields.flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return Buffer.concat(parts).toString("base64");
};

const bytes = (length: number): Buffer => Buffer.alloc(length, 7);

const BLOBS: Readonly<Record<string, string>> = {
  "ssh-ed25519": joinFields(text("ssh-ed25519"), bytes(32)),
  "ssh-rsa": joinFields(text("ssh-rsa"), bytes(3), bytes(257)),
  "ecdsa-sha2-nistp256": joinFields(text("ecdsa-sha2-nistp256"), text("nistp256"), bytes(65)),
  "ecdsa-sha2-nistp384": joinFields(text("ecdsa-sha2-nistp384"), text("nistp384"), bytes(97)),
  "ecdsa-sha2-nistp521": joinFields(text("ecdsa-sha2-nistp521"), text("nistp521"), bytes(133)),
  "sk-ssh-ed25519@openssh.com": joinFields(text("sk-ssh-ed25519@openssh.com"), bytes(32), text("ssh:")),
  "sk-ecdsa-sha2-nistp256@openssh.com": joinFields(
    text("sk-ecdsa-sha2-nistp256@openssh.com"),
    text("nistp256"),
    bytes(65),
    text("ssh:"),
  ),
};
const ED25519 = BLOBS["ssh-ed25519"] ?? "";

const refusal = (line: string): string => {
  const parsed = parseSshKey(line);
  return parsed.ok ? `taken: ${JSON.stringify(parsed.value)}` : parsed.error.message;
};

describe("a public key", () => {
  test.each(Object.entries(BLOBS))("of the type %s is taken, with its comment and its line's end", (type, blob) => {
    const key = { type, blob, comment: "ada lovelace@laptop" };
    expect(parseSshKey(`${type} ${blob} ada lovelace@laptop`)).toEqual({ ok: true, value: key });
    expect(parseSshKey(`${type} ${blob}\r\n`)).toEqual({ ok: true, value: { ...key, comment: "" } });
  });

  test.each([
    ["", /begins with its type/],
    ["hello", /begins with its type/],
    [ED25519, /begins with its type/],
    [`ssh-dss ${ED25519}`, /begins with its type/],
    [`constructor ${ED25519}`, /begins with its type/],
    [`command="sh" ssh-ed25519 ${ED25519}`, /without options/],
    [`no-pty,ssh-ed25519 ${ED25519}`, /without options/],
    [`restrict ssh-ed25519 ${ED25519}`, /without options/],
    [`# ssh-ed25519 ${ED25519}`, /begins with its type/],
    [`ssh-ed25519 ${ED25519}\nssh-ed25519 ${ED25519}`, /one line/],
    [`ssh-ed25519 ${ED25519} a\n\n`, /one line/],
    [`ssh-ed25519\t${ED25519}`, /control characters/],
    [`ssh-ed25519 ${ED25519} \u001b[2J`, /control characters/],
    [`ssh-ed25519 ${ED25519} a\u0000b`, /control characters/],
    [`ssh-ed25519 ${ED25519} a\u2028b`, /control characters/],
    [`ssh-ed25519 ${ED25519} a\u202eb`, /control characters/],
    [`ssh-ed25519 ${ED25519} ${"a".repeat(257)}`, /comment/],
    [`ssh-rsa ${ED25519}`, /not a whole ssh-rsa key/],
    [`ssh-ed25519 ${ED25519.slice(0, -4)}`, /not a whole/],
    [`ssh-ed25519 ${ED25519}AAAA`, /not a whole/],
    [`ssh-ed25519 ${ED25519.slice(0, -1)}`, /not a whole/],
    [`ssh-ed25519 ${ED25519.replace(/.$/, "=")}=`, /not a whole/],
    ["ssh-ed25519 AAAA!", /not a whole/],
    [`ecdsa-sha2-nistp256 ${joinFields(text("ecdsa-sha2-nistp256"), text("nistp384"), bytes(65))}`, /not a whole/],
    [`ssh-rsa ${joinFields(text("ssh-rsa"), bytes(3), bytes(0))}`, /not a whole/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", /private key/],
  ])("is refused as %j", (line, message) => {
    expect(refusal(line)).toMatch(message);
  });

  test("is one line of the file whatever is sent, or nothing", () => {
    const part = fc.oneof(
      fc.constantFrom("ssh-ed25519", ED25519, "\n", "\r", " ", '"', 'command="sh"', "\t"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const parsed = parseSshKey(parts.join(" "));
        if (!parsed.ok) return;
        const line = renderAuthorizedKey(parsed.value, ["attach"]);
        expect(line).toStartWith(`restrict,pty,command="attach" ssh-ed25519 ${ED25519}`);
        expect(line).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the line of a key", () => {
  const key = { type: "ssh-ed25519", blob: ED25519, comment: "ada@laptop" };

  test("restricts it to one program, whatever the program's path", () => {
    expect(renderAuthorizedKey(key, ['/opt/my nexus\'s "x"/server', "attach-session"])).toBe(
      `restrict,pty,command="'/opt/my nexus'\\''s \\"x\\"/server' attach-session" ssh-ed25519 ${ED25519} ada@laptop`,
    );
  });

  test("is known by the folder of the server that it opens, whoever's key it is", () => {
    const render = (folder: string, ...more: readonly string[]): string =>
      renderAuthorizedKey(key, ["/bin/nexus-server", "attach-session", "--server-dir", folder, ...more]);
    for (const folder of ["/srv/nexus", '/srv/ann\'s "own"'])
      for (const line of [render(folder), render(folder, "--user=ann")]) {
        expect(opensFolder(line, folder)).toBe(true);
        expect([opensFolder(line, "/srv"), opensFolder(line, `${folder}2`), opensFolder(`# ${line}`, folder)]).toEqual(
          Array(3).fill(false),
        );
      }
  });

  test("is found under any options and comment, unless it is commented out", () => {
    expect(hasAuthorizedKey(`ssh-rsa AAAA x\nno-pty ssh-ed25519 ${ED25519} old\n`, key)).toBe(true);
    expect(hasAuthorizedKey(`  # ssh-ed25519 ${ED25519}\nssh-ed25519 ${ED25519}x\n`, key)).toBe(false);
  });
});

describe("what a registered key may ask for", () => {
  test.each([
    ["attach k3f9ab", "k3f9ab"],
    ["attach my-job-1", "my-job-1"],
    ["nexus_job_k3f9ab", "k3f9ab"],
    ["screen -r nexus_job_k3f9ab", "k3f9ab"],
    ["screen -r 4711.nexus_job_k3f9ab", "k3f9ab"],
    ["screen -d -r nexus_job_k3f9ab", "k3f9ab"],
    ["screen -xU nexus_job_k3f9ab", "k3f9ab"],
  ])("%s", (asked, id) => {
    expect(parseAttachRequest(asked)).toEqual({ ok: true, value: id as never });
  });

  test.each([
    "",
    "attach",
    "attach ",
    "attach -x",
    "attach a b",
    "attach a;sh",
    "attach a\nsh",
    "attach $(sh)",
    "attach ../a",
    "sh",
    "bash -i",
    "screen",
    "screen -r",
    "screen -X nexus_job_a",
    "screen -S nexus_job_a -X exec sh",
    "screen -r nexus_job_a sh",
    "screen -r other",
    "screen -c /tmp/rc nexus_job_a",
    "scp -t /tmp",
    "/usr/lib/openssh/sftp-server",
  ])("and nothing else: %j", (asked) => {
    expect(parseAttachRequest(asked).ok).toBe(false);
  });
});
