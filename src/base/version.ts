import manifest from "../../package.json";

export const VERSION: string = manifest.version;

/** By what both programs are known to servers and services. */
export const USER_AGENT: string = `nexus/${VERSION}`;

/** In each answer of a server. */
export const VERSION_HEADER = "x-nexus-version";
