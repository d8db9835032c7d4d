import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { NX } from "./programs.ts";
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
    const result = (await client.callTool({ name, arguments: { ...given } })) as CallToolResult;
    const text = readText(result);
    return { facts: result.structuredContent ?? {}, text, isError: result.isError === true };
  },
  close: () => client.close(),
});

/** The SDK's own client at `nx mcp`, started in a folder of the user's. */
export const startAgent = async (world: World, cwd: string, command: string = NX): Promise<Agent> => {
  const env = Object.fromEntries(Object.entries(world.env).map(([name, value]) => [name, value ?? ""]));
  const client = new Client({ name: "tester", version: "1" });
  await client.connect(new StdioClientTransport({ command, args: ["mcp"], env, cwd, stderr: "ignore" }));
  return createAgent(client);
};

/** The same client at a server's own `/mcp`. */
export const reachAgent = async (url: string, token: string): Promise<Agent> => {
  const client = new Client({ name: "tester", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const transport = new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit });
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  return createAgent(client);
};
