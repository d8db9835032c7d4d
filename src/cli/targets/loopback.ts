const IPV4 = /^(?:127(?:\.\d+){3}|0\.0\.0\.0)$/;
const IPV6 = /^::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4}|ffff:0:0)?$/;

const parseName = (host: string): string => {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  try {
    return new URL(`http://${bare.includes(":") ? `[${bare}]` : bare}`).hostname.replaceAll(/[[\]]/g, "");
  } catch {
    return bare;
  }
};

const isLoopbackAddress = (address: string): boolean => {
  const name = parseName(address);
  return IPV4.test(name) || IPV6.test(name);
};

/** Whether a name or an address is this machine's own, however it is written. An address of no machine leads here as well. */
export const isLoopback = (host: string): boolean => /^localhost\.?$/.test(parseName(host)) || isLoopbackAddress(host);

const PROXIES = ["http_proxy", "https_proxy", "all_proxy"];

const hasProxy = (): boolean => PROXIES.some((name) => process.env[name] || process.env[name.toUpperCase()]);

/** Whether requests to that host must be kept from a proxy: it is this machine, be it by a name that is only known here. */
export const bypassesProxy = async (host: string): Promise<boolean> => {
  if (!hasProxy() || isLoopback(host)) return isLoopback(host);
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.some(({ address }) => isLoopbackAddress(address));
};
