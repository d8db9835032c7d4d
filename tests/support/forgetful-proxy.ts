import type { Finished } from "./programs.ts";
import type { World } from "./world.ts";

/** `nx` talks through it to the world's server, which hears nothing of the parameters named: as if it were of a version before them. */
export type ForgetfulProxy = Readonly<{
  nx: (words: readonly string[]) => Promise<Finished>;
  stop: () => Promise<void>;
}>;

export const createForgetfulProxy = async (world: World, forgotten: readonly string[]): Promise<ForgetfulProxy> => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname, searchParams } = new URL(request.url);
      for (const name of forgotten) searchParams.delete(name);
      return fetch(`${world.url}${pathname}?${searchParams}`);
    },
  });
  const name = `earlier-${server.port}`;
  await world.nx(["target", "add", name, `http://127.0.0.1:${server.port}`]);
  return { nx: (words) => world.nx(["-t", name, ...words]), stop: () => server.stop(true) };
};
