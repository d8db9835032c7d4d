import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../package.json";

type Program = "nx" | "nexus-server";
type Platform = Readonly<{ name: string; target: string; programs: readonly Program[] }>;

const ROOT = join(import.meta.dirname, "..");
const ENTRIES: Readonly<Record<Program, string>> = {
  nx: "src/cli/main.ts",
  "nexus-server": "src/server/main.ts",
};
const BOTH: readonly Program[] = ["nx", "nexus-server"];
const PLATFORMS: readonly Platform[] = [
  { name: "linux-x64", target: "bun-linux-x64", programs: BOTH },
  { name: "linux-x64-baseline", target: "bun-linux-x64-baseline", programs: BOTH },
  { name: "linux-arm64", target: "bun-linux-arm64", programs: BOTH },
  { name: "darwin-x64", target: "bun-darwin-x64", programs: ["nx"] },
  { name: "darwin-arm64", target: "bun-darwin-arm64", programs: ["nx"] },
];
const COMPILE = [
  ...["build", "--compile", "--minify", "--splitting", "--bytecode", "--format=esm"],
  ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
];
const HOST = `${process.platform}-${process.arch}`;

const compile = (program: Program, path: string, target: readonly string[]): void => {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  execFileSync(process.execPath, [...COMPILE, ...target, `--outfile=${path}`, join(ROOT, ENTRIES[program])], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
};

const compileFor = (folder: string, { name, target }: Platform, program: Program): string => {
  const path = join(folder, name, program);
  compile(program, path, [`--target=${target}`]);
  return path;
};

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

const writeChecksums = (folder: string, files: readonly string[]): void => {
  const lines = files.map((path) => `${digest(path)}  ${relative(folder, path)}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
};

const writeBillOfMaterials = (folder: string): string => {
  const path = join(folder, "sbom.cdx.json");
  const text = execFileSync("npm", ["sbom", "--sbom-format=cyclonedx", "--omit=dev"], { cwd: ROOT, encoding: "utf8" });
  const { serialNumber: _random, ...bill } = JSON.parse(text);
  const { timestamp: _now, ...metadata } = bill.metadata;
  const component = { ...metadata.component, name: manifest.name };
  writeFileSync(path, `${JSON.stringify({ ...bill, metadata: { ...metadata, component } }, null, 2)}\n`);
  return path;
};

const copyInstaller = (folder: string): string => {
  const path = join(folder, "install.sh");
  copyFileSync(join(ROOT, "scripts", "install.sh"), path);
  chmodSync(path, 0o755);
  return path;
};

const linkHostPrograms = (folder: string, platform: Platform): void => {
  for (const program of platform.programs) linkSync(join(folder, platform.name, program), join(folder, program));
};

const build = (folder: string, platforms: readonly Platform[]): void => {
  rmSync(folder, { recursive: true, force: true });
  const programs = platforms.flatMap((platform) =>
    platform.programs.map((program) => compileFor(folder, platform, program)),
  );
  const host = platforms.find(({ name }) => name === HOST);
  if (host !== undefined) linkHostPrograms(folder, host);
  writeChecksums(folder, [...programs, writeBillOfMaterials(folder), copyInstaller(folder)]);
};

const buildAll = (folder: string, isHostOnly: boolean): void => {
  build(folder, isHostOnly ? PLATFORMS.filter(({ name }) => name === HOST) : PLATFORMS);
  process.stdout.write(`${readFileSync(join(folder, "SHA256SUMS"), "utf8")}`);
};

const { values } = parseArgs({
  options: { output: { type: "string" }, host: { type: "boolean" }, client: { type: "string" } },
});
if (values.client === undefined) buildAll(values.output ?? join(ROOT, "dist"), values.host === true);
else compile("nx", resolve(values.client), []);
