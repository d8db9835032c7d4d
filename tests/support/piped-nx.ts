import { spawn } from "node:child_process";
import { type Finished, NX } from "./programs.ts";

export type PipedNx = (words: readonly string[], input?: string, more?: NodeJS.ProcessEnv) => Promise<Finished>;

/** A home of one's own, in which no server is started. */
export const createUserEnvironment = (home: string): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: home,
  USER: "ada",
  NO_COLOR: "1",
  NEXUS_AUTOSTART: "false",
});

/** `nx` in a pipe, with what comes in on it. */
export const createPipedNx =
  (home: () => string): PipedNx =>
  (words, input = "", more = {}) => {
    const { promise, resolve } = Promise.withResolvers<Finished>();
    const child = spawn(NX, words, { cwd: home(), env: { ...createUserEnvironment(home()), ...more } });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    child.stdin.on("error", () => undefined).end(input);
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output }));
    return promise;
  };
