import { type Api, createApi } from "../../src/cli/connection/api-client.ts";

/** Of a server on this machine that is asked without a token, and not started. */
export const createPlainApi = (port: number | undefined): Api => {
  const address = `http://127.0.0.1:${port}`;
  return createApi({
    ...{ name: "local", address, baseUrl: address, socket: null, ssh: null, token: null, tls: null, fingerprint: null },
    ...{ triesPort: false, listener: "any" as const, isInstalled: false, autostart: false, notes: [], config: {} },
  });
};
