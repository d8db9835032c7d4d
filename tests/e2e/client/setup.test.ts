import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "../../support/certificate.ts";
import { createPipedNx, createUserEnvironment } from "../../support/piped-nx.ts";
import { NX } from "../../support/programs.ts";
import { openTmux, type TmuxTerminal } from "../../support/tmux-terminal.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "nexus-setup-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const nx = createPipedNx(() => home);

const locate = (name: string): string => join(home, ".nexus", name);
const read = (name: string): string => readFileSync(locate(name), "utf8");

const put = (name: string, text: string): void => {
  mkdirSync(join(home, ".nexus"), { recursive: true });
  writeFileSync(locate(name), text);
};

const onTerminal = async (line: string, act: (terminal: TmuxTerminal) => Promise<void>): Promise<void> => {
  const terminal = await openTmux({ env: createUserEnvironment(home), cwd: home });
  try {
    terminal.type(`${NX} ${line}; echo "ended $?"`);
    terminal.press("Enter");
    await act(terminal);
  } finally {
    terminal.close();
  }
};

const answer = async (terminal: TmuxTerminal, question: string, ...keys: readonly string[]): Promise<void> => {
  await terminal.waitFor(question);
  terminal.press(...keys);
};

describe("the wizard on a terminal", () => {
  test("asks, hides secrets and writes them for the owner alone", async () => {
    await onTerminal("setup", async (terminal) => {
      await terminal.waitFor("Your name on jobs");
      terminal.type("-lovelace");
      terminal.press("Enter");
      await answer(terminal, "Use with every job", "Space", "Enter");
      await answer(terminal, "Tell me by", "Enter");
      await terminal.waitFor("WANDB_API_KEY");
      terminal.type("hush-hush");
      terminal.press("Enter");
      await terminal.waitFor("WANDB_ENTITY");
      terminal.type("lab");
      terminal.press("Enter");
      await answer(terminal, "Push a git tag", "y");
      await answer(terminal, "Where should your jobs run", "Enter");
      expect(await terminal.waitFor("ended 0")).not.toContain("hush");
    });
    expect(read(".env")).toBe("WANDB_API_KEY=hush-hush\nWANDB_ENTITY=lab\n");
    expect(statSync(locate(".env")).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await nx(["config", "--json"])).stdout)).toMatchObject({
      user: "ada-lovelace",
      default_integrations: ["wandb"],
      default_notifications: [],
      enable_git_tag_push: true,
      default_target: "local",
    });
  });

  test("a second run keeps what was there when every question is answered with Enter", async () => {
    const config = '# mine\nuser = "ada" # me\ndefault_integrations = ["wandb"]\nother = 1\n';
    put("config.toml", config);
    put(".env", "# keys\nWANDB_API_KEY=hush\nWANDB_ENTITY=lab\n");
    await onTerminal("setup", async (terminal) => {
      for (const question of ["Your name", "every job", "Tell me by", "WANDB_API_KEY", "WANDB_ENTITY", "git tag"])
        await answer(terminal, question, "Enter");
      await answer(terminal, "Where should your jobs run", "Enter");
      await terminal.waitFor("ended 0");
    });
    expect(read(".env")).toBe("# keys\nWANDB_API_KEY=hush\nWANDB_ENTITY=lab\n");
    expect(read("config.toml")).toStartWith('# mine\nuser = "ada" # me\ndefault_integrations = [');
    expect(read("config.toml")).toContain("\nother = 1\n");
  });

  test("Ctrl-C ends with 130 and writes nothing", async () => {
    await onTerminal("setup", async (terminal) => {
      await answer(terminal, "Your name", "Enter");
      await answer(terminal, "every job", "C-c");
      await terminal.waitFor("ended 130");
    });
    expect(existsSync(join(home, ".nexus"))).toBe(false);
  });

  test("a server on another machine is added, checked and made the default", async () => {
    const certificate = makeCertificate(home, "gpu-box");
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: readFileSync(certificate.key), cert: readFileSync(certificate.cert) },
      fetch: () => Response.json({ server_version: "1.0.0", node_name: "box", gpu_count: 2 }),
    });
    try {
      await onTerminal("setup --remote", async (terminal) => {
        await answer(terminal, "Your name", "Enter");
        await answer(terminal, "every job", "Enter");
        await answer(terminal, "Tell me by", "Enter");
        await answer(terminal, "git tag", "Enter");
        await terminal.waitFor("Address of the server");
        terminal.type(`127.0.0.1:${server.port}`);
        terminal.press("Enter");
        await terminal.waitFor("A name for it");
        terminal.type("lab");
        terminal.press("Enter");
        await terminal.waitFor("[y/N]");
        terminal.type("y");
        terminal.press("Enter");
        await terminal.waitFor("API token");
        terminal.type("tok-en");
        terminal.press("Enter");
        expect(await terminal.waitFor("ended 0")).not.toContain("tok-en");
      });
    } finally {
      await server.stop(true);
    }
    const config = JSON.parse((await nx(["config", "--json"])).stdout);
    expect([config.default_target, config.targets.lab.certificate_fingerprint]).toEqual([
      "lab",
      certificate.fingerprint,
    ]);
  });
});

describe("in a pipe", () => {
  test("setup asks nothing and says how to go on", async () => {
    const finished = await nx(["setup"]);
    expect([finished.exitCode, finished.stdout]).toEqual([2, ""]);
    expect(finished.stderr).toContain("--non-interactive");
    expect(existsSync(join(home, ".nexus"))).toBe(false);
  });

  test("flags and variables say all, and a second run keeps it", async () => {
    const words = ["setup", "--non-interactive", "--user", "grace", "--notifications", "discord", "--git-tags", "yes"];
    const secrets = { DISCORD_USER_ID: "7", DISCORD_WEBHOOK_URL: "https://discord.example/x#y" };
    expect((await nx(words, "", secrets)).exitCode).toBe(0);
    expect(statSync(locate(".env")).mode & 0o777).toBe(0o600);
    const [config, env] = [read("config.toml"), read(".env")];
    expect((await nx(["setup", "--non-interactive"])).exitCode).toBe(0);
    expect([read("config.toml"), read(".env")]).toEqual([config, env]);
    expect((await nx(["setup", "--non-interactive"], "", { NEXUS_USER: "lin" })).exitCode).toBe(0);
    expect(read("config.toml")).toBe(config.replace("grace", "lin"));
  });

  test.each([
    [["--notifications", "discord"], /DISCORD_USER_ID \(discord\), DISCORD_WEBHOOK_URL \(discord\)/],
    [["--integrations", "wandbb"], /did you mean wandb\?/],
    [["--git-tags", "perhaps"], /yes or no/],
    [["--user", " "], /not empty/],
    [["--remote"], /needs --url/],
    [["--url", "http://box"], /unprotected/],
  ] as const)("wrong use: %j", async (words, told) => {
    const finished = await nx(["setup", "--non-interactive", ...words]);
    expect([finished.exitCode, finished.stdout, finished.stderr]).toEqual([2, "", expect.stringMatching(told)]);
    expect(existsSync(join(home, ".nexus"))).toBe(false);
  });
});
