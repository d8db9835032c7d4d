import { describe, expect, test } from "bun:test";
import type { Settings } from "../../core/settings/settings.ts";
import { readSettings } from "./read-settings.ts";

type Raw = Readonly<Record<string, unknown>>;

const HOST = { serverDir: "/state", hostname: "atlas", cores: 8, memoryBytes: 64 * 1024 ** 3 };

const read = (file: Raw = {}, env: Readonly<Record<string, string>> = {}, flags: Raw = {}) =>
  readSettings({ file, env, flags }, HOST);

const readValue = (result: ReturnType<typeof read>, key: keyof Settings): unknown => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value[key];
};

const TEXT = "a text that is not empty";
const LIST = "a list of texts";
const PATH = "a path that begins with / and has at most 107 bytes";

type Case = readonly [name: string, key: keyof Settings, fallback: unknown, fromFile: unknown, fromEnv: string];

const SETTINGS: readonly Case[] = [
  ["server_dir", "serverDir", "/state", "/a", "/b"],
  ["refresh_rate", "refreshRate", 3, 0.5, "0.25"],
  ["port", "port", null, 0, "8080"],
  ["host", "host", "127.0.0.1", "0.0.0.0", "::1"],
  ["node_name", "nodeName", "atlas", "a", "b"],
  ["mock_gpus", "mockGpus", 0, 4, "3"],
  ["driver_timeout", "driverTimeout", 30, 60, "0.5"],
  ["foreign_memory_mib", "foreignMemoryMib", 1024, 0, "2048"],
  ["share_with_foreign", "shareWithForeign", false, true, "true"],
  ["vram_enforce", "vramEnforce", true, false, "false"],
  ["supplementary_groups", "supplementaryGroups", [], ["video"], "a,b"],
  ["api_token", "apiToken", null, "one", "two"],
  ["trust_loopback", "trustLoopback", "owner", "anyone", "nobody"],
  ["job_uid_min", "jobUidMin", 1000, 500, "2000"],
  ["insecure_http", "insecureHttp", false, true, "true"],
  ["socket", "socket", null, "/run/a.sock", "/run/b.sock"],
  ["external_ip", "externalIp", null, "192.0.2.1", "192.0.2.2"],
  ["allowed_hosts", "allowedHosts", [], ["a.example"], "b.example"],
  ["ssl_keyfile", "sslKeyfile", null, "/a.key", "/b.key"],
  ["ssl_certfile", "sslCertfile", null, "/a.crt", "/b.crt"],
  ["max_cpu_jobs", "maxCpuJobs", 8, 0, "5"],
  ["cpus", "cpus", 8, 1, "5"],
  ["memory_gb", "memoryGb", 56, 1, "0.5"],
  ["book_cpus", "bookCpus", false, true, "true"],
  ["max_passed_over", "maxPassedOver", 1800, 60, "7.5"],
  ["max_queued", "maxQueued", 10_000, 0, "9"],
  ["order", "order", "fifo", "fair", "fifo"],
  ["fair_half_life", "fairHalfLife", "7d", "2h", "1d"],
  ["max_gpus", "maxGpus", null, 2, "4"],
  ["max_running", "maxRunning", null, 2, "4"],
  ["max_priority", "maxPriority", null, 10, "-4"],
  ["max_time", "maxTime", null, "2h", "1d"],
  ["idle_warn", "idleWarn", null, "30m", "1h"],
  ["idle_end", "idleEnd", null, "2h", "1d"],
  ["max_reserved", "maxReserved", 1, 0, "4"],
  ["reserve_margin", "reserveMargin", "1h", "30m", "2h"],
  ["max_queued_in_all", "maxQueuedInAll", 50_000, 0, "9"],
  ["max_waiting_gib", "maxWaitingGib", 2, 1, "0.5"],
  ["max_log_gb", "maxLogGb", 10, 1, "0.5"],
  ["min_free_gb", "minFreeGb", 5, 0, "0.5"],
  ["max_requests", "maxRequests", 256, 8, "9"],
  ["max_followers", "maxFollowers", 512, 8, "9"],
  ["max_followers_per_address", "maxFollowersPerAddress", 256, 8, "9"],
  ["max_uploads", "maxUploads", 32, 8, "9"],
  ["body_timeout", "bodyTimeout", 30, 8, "0.5"],
  ["executor", "executor", "screen", "screen", "screen"],
  ["nullpointer_url", "nullpointerUrl", "https://0x0.st", "https://a.example", "http://127.0.0.1:8080"],
  ["twilio_url", "twilioUrl", "https://api.twilio.com", "https://a.example", "https://b.example"],
  ["log_level", "logLevel", "info", "debug", "error"],
  ["retention_days", "retentionDays", 30, 0, "1.5"],
  ["retention_gb", "retentionGb", null, 0, "0.5"],
  ["artifact_gb", "artifactGb", 10, 0, "0.5"],
  ["speed_test_url", "speedTestUrl", null, "https://a.example/10MB", "http://127.0.0.1:8080/x"],
  ["ping_host", "pingHost", null, "192.0.2.1", "a.example:53"],
];

const PARSED: Readonly<Record<string, unknown>> = {
  refresh_rate: 0.25,
  port: 8080,
  mock_gpus: 3,
  driver_timeout: 0.5,
  foreign_memory_mib: 2048,
  supplementary_groups: ["a", "b"],
  allowed_hosts: ["b.example"],
  job_uid_min: 2000,
  insecure_http: true,
  share_with_foreign: true,
  vram_enforce: false,
  max_cpu_jobs: 5,
  cpus: 5,
  memory_gb: 0.5,
  book_cpus: true,
  max_passed_over: 7.5,
  max_queued: 9,
  max_reserved: 4,
  max_gpus: 4,
  max_running: 4,
  max_priority: -4,
  max_queued_in_all: 9,
  max_waiting_gib: 0.5,
  max_log_gb: 0.5,
  min_free_gb: 0.5,
  max_requests: 9,
  max_followers: 9,
  max_followers_per_address: 9,
  max_uploads: 9,
  body_timeout: 0.5,
  retention_days: 1.5,
  retention_gb: 0.5,
  artifact_gb: 0.5,
};

describe("readSettings", () => {
  test("every setting is tested here", () => {
    const settings = read();
    const keys = [...SETTINGS.map(([, key]) => key), "notify", "users"];
    expect(settings.ok && Object.keys(settings.value).toSorted()).toEqual(keys.toSorted());
  });

  test.each(SETTINGS)("%s has a default, is read from the file, then the environment, then a flag", (...setting) => {
    const [name, key, fallback, fromFile, fromEnv] = setting;
    const env = { [`NS_${name.toUpperCase()}`]: fromEnv };
    expect(readValue(read(), key)).toEqual(fallback);
    expect(readValue(read({ [name]: fromFile }), key)).toEqual(fromFile);
    expect(readValue(read({ [name]: fromFile }, env), key)).toEqual(PARSED[name] ?? fromEnv);
    expect(readValue(read({ [name]: "mistaken" }, env, { [name]: fromFile }), key)).toEqual(fromFile);
  });

  test.each([
    ["server_dir", "", TEXT],
    ["server_dir", 7, TEXT],
    ["host", "  ", TEXT],
    ["node_name", false, TEXT],
    ["api_token", "", TEXT],
    ["trust_loopback", "perhaps", "one of owner, anyone, nobody"],
    ["trust_loopback", 2, "one of owner, anyone, nobody"],
    ["job_uid_min", -1, "a whole number from 0 to 4294967294"],
    ["insecure_http", "perhaps", "true or false"],
    ["socket", "nexus.sock", PATH],
    ["socket", `/${"ä".repeat(54)}`, PATH],
    ["external_ip", [], TEXT],
    ["ssl_keyfile", 1, TEXT],
    ["ssl_certfile", 1, TEXT],
    ["refresh_rate", "soon", "a number from 0.05 to 3600"],
    ["refresh_rate", 0, "a number from 0.05 to 3600"],
    ["refresh_rate", Number.NaN, "a number from 0.05 to 3600"],
    ["port", 65_536, "a whole number from 0 to 65535"],
    ["port", "", "a whole number from 0 to 65535"],
    ["port", 1.5, "a whole number from 0 to 65535"],
    ["port", -1, "a whole number from 0 to 65535"],
    ["mock_gpus", 65, "auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
    ["mock_gpus", "2x", "auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
    ["mock_gpus", "1x24G,10xMIG", "auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
    ["mock_gpus", "some", "auto, true, false or a whole number from 0 to 64, or kinds such as 2x24G,1xMIG"],
    ["driver_timeout", 0, "a number from 0.1 to 3600"],
    ["foreign_memory_mib", 1.5, "a whole number from 0 to 1000000"],
    ["supplementary_groups", [1], LIST],
    ["allowed_hosts", { a: 1 }, LIST],
    ["cpus", 0, "a whole number from 1 to 65536"],
    ["memory_gb", 0, "a number from 0.001 to 1000000"],
    ["max_cpu_jobs", -1, "a whole number from 0 to 10000"],
    ["max_cpu_jobs", "many", "a whole number from 0 to 10000"],
    ["max_passed_over", -1, "a number from 0 to 31536000"],
    ["retention_days", -1, "a number from 0 to 36500"],
    ["retention_gb", "all", "a number from 0 to 1000000"],
    ["speed_test_url", "example.org", "an address that begins with https:// or http://"],
    ["ping_host", "", TEXT],
    ["executor", "slurm", '"screen"'],
  ])("%s = %p is refused by name, with what is allowed", (name, value, allowed) => {
    const settings = read({ [name]: value });
    const message = settings.ok ? "" : settings.error.message;
    expect(message).toStartWith(`${name} = `);
    expect(message).toEndWith(` is not allowed: it must be ${allowed}`);
  });

  test("a mistaken token is not told", () => {
    const settings = read({ api_token: 271_828 });
    expect(settings).toEqual({
      ok: false,
      error: { message: `api_token = what is given is not allowed: it must be ${TEXT}` },
    });
  });

  test("nor a password in a mistaken address", () => {
    const settings = read({ nullpointer_url: "ftp://ada:hush@box" });
    expect(settings.ok ? "" : settings.error.message).toStartWith('nullpointer_url = "ftp://ada:********@box" is not');
  });

  test("a mistake in the environment is named like one in the file", () => {
    expect(read({}, { NS_PORT: "http" })).toEqual({
      ok: false,
      error: { message: 'port = "http" is not allowed: it must be a whole number from 0 to 65535' },
    });
  });

  test.each([
    [true, 2],
    ["true", 2],
    ["", 2],
    [false, 0],
    ["false", 0],
    ["0", 0],
    [64, 64],
    ["auto", "auto"],
  ])("mock_gpus = %p means %p GPUs", (value, count) => {
    expect(readValue(read({ mock_gpus: value }), "mockGpus")).toBe(count);
  });

  test("kinds of mock GPUs are counted out, a cut one as its seven instances", () => {
    const gpus = readValue(read({ mock_gpus: "2x24G, 1xMIG" }), "mockGpus");
    const whole = { memoryMib: 24_576, isMig: false };
    expect(gpus).toEqual([whole, whole, ...Array.from({ length: 7 }, () => ({ memoryMib: 10_240, isMig: true }))]);
  });

  test.each([
    [true, "owner"],
    ["true", "owner"],
    ["1", "owner"],
    [false, "nobody"],
    ["false", "nobody"],
    ["0", "nobody"],
  ])("trust_loopback = %p of an earlier configuration means %p", (value, trust) => {
    expect(readValue(read({ trust_loopback: value }), "trustLoopback")).toBe(trust);
  });

  test("a list in the environment is split at commas, without blanks", () => {
    expect(readValue(read({}, { NS_ALLOWED_HOSTS: " a, ,b ," }), "allowedHosts")).toEqual(["a", "b"]);
  });

  test("an unknown key of the file is refused with those that are known", () => {
    const settings = read({ prot: 1 });
    const message = settings.ok ? "" : settings.error.message;
    expect(message).toStartWith("prot is not a setting; the settings are: ");
    for (const [name] of SETTINGS) expect(message).toContain(name);
  });

  test("variables of others are ignored", () => {
    expect(read({}, { NS_UNKNOWN: "1", PORT: "1", PATH: "/bin" })).toEqual(read());
  });
});
