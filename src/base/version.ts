import manifest from "../../package.json";

export const VERSION: string = manifest.version;

/** In each answer of a server. */
export const VERSION_HEADER = "x-nexus-version";
