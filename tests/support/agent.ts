import { type CallToolResult, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { NEXUS_SERVER, NX, runProgram } from "./programs.ts";
import type { World } from "./world.ts";

type Given = Readonly<Record<string, unknown>>;

/** What an agent read of an answer: its text, which is the same as its structured part. */
export type Reading = Readonly<{ facts: Record<string, unknown>; text: string; isError: boolean }>;

export type Agent = Readonly<{
  client: Client;
  call: (name: string, given?: Given) => Promise<Reading>;
  close: () => Promise<void>;
}>;

const readText = ({ content }: CallToolResult): string =>
  content.map((part) => (part.type === "text" ? part.text : "")).join("\n");

const createAgent = (client: Client): Agent => ({
  client,
  call: async (name, given = {}) => {
    const result = await client.callTool({ name, arguments: { ...given } });
    const facts = (result.structuredContent ?? {}) as Reading["facts"];
    return { facts, text: readText(result), isError: result.isError === true };
  },
  close: () => client.close(),
});

type Way = Readonly<{ command?: string; version?: string }>;

const FIRST_WITHOUT_HANDSHAKE = "2026-07-28";

const createClient = ({ version }: Way): Client => {
  const isNew = version !== undefined && version >= FIRST_WITHOUT_HANDSHAKE;
  return new Client(
    { name: "tester", version: "1" },
    {
      ...(version === undefined ? {} : { supportedProtocolVersions: [version] }),
      ...(isNew ? { versionNegotiation: { mode: { pin: version } } } : {}),
    },
  );
};

/** The SDK's own client at `nx mcp`, started in a folder of the user's; held to a version of the protocol, if one is given. */
export const startAgent = async (world: World, cwd: string, way: Way = {}): Promise<Agent> => {
  const env = Object.fromEntries(Object.entries(world.env).map(([name, value]) => [name, value ?? ""]));
  const client = createClient(way);
  const command = way.command ?? NX;
  await client.connect(new StdioClientTransport({ command, args: ["mcp"], env, cwd, stderr: "ignore" }));
  return createAgent(client);
};

/** The same client at a server's own `/mcp`. */
export const reachAgent = async (url: string, token: string, way: Way = {}): Promise<Agent> => {
  const client = createClient(way);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  return createAgent(client);
};

/** A token of a user of that name; `words` are more of the command line. */
export const addToken = async (world: World, name: string, ...words: readonly string[]): Promise<string> => {
  const argv = [NEXUS_SERVER, "token", "add", name, ...words];
  const { stdout } = await runProgram(argv, { env: world.env, cwd: world.home });
  return stdout.trim();
};

/** How many wait for events of the server. */
export const countFollowers = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^nexus_followers\{kind="events"\} (\d+)/m.exec(text)?.[1] ?? 0);
};
