import { nameVariable } from "../settings/settings.ts";

type Entry = Readonly<Record<string, unknown>>;

const TOKEN = "api_token";
const FIELDS = ["host", "port", "protocol", "user", "server_at", TOKEN, "certificate_fingerprint", "listener"];
const EARLIER = ["host", "port", "protocol", "server_at", "certificate_fingerprint"];
const EARLIER_TOKEN = nameVariable(TOKEN);
const LINK = /^(?:tcp|udp|sctp):\/\//;

const read = (variable: string): string => process.env[variable] ?? "";

const nameField = (field: string): string => nameVariable(`target_${field}`);

const isLink = (variable: string): boolean => LINK.test(read(variable));

/** What is to be said of a variable that Docker or Kubernetes set beside a service of such a name; null for any other. */
export const explainLink = (variable: string): string | null =>
  isLink(variable)
    ? `${variable} is passed over: its value is a service's address, as Docker and Kubernetes set it`
    : null;

const explainUnmeant = (variable: string): string | null =>
  read("NEXUS_TARGET") === "" ? `${variable} is passed over: it is for the target that NEXUS_TARGET names` : null;

/** What is to be said of each variable that is set and passed over. */
export const listPassedOver = (): readonly string[] => {
  const earlier = EARLIER.map((field) => [
    nameVariable(field),
    `${nameVariable(field)} is passed over: ${nameField(field)} is for the target that NEXUS_TARGET names`,
  ]);
  const known = [...FIELDS.map(nameField), EARLIER_TOKEN].map((variable) => [variable, explainUnmeant(variable)]);
  return [...earlier, ...known].flatMap(([variable, reason]) =>
    variable && read(variable) !== "" ? (explainLink(variable) ?? reason ?? []) : [],
  );
};

/** The token for a target that is being added. */
export const readGivenToken = (name: string): string | undefined => {
  const chosen = read("NEXUS_TARGET");
  const own = chosen === name ? read(nameField(TOKEN)) : "";
  return own || (chosen === name || chosen === "" ? process.env[EARLIER_TOKEN] : undefined);
};

/** The entry as `NEXUS_TARGET_…` have it, which are for the target of `NEXUS_TARGET` alone. */
export const applyVariables = (name: string, entry: Entry): Entry => {
  if (read("NEXUS_TARGET") !== name) return entry;
  const given = FIELDS.filter((field) => read(nameField(field)) !== "" && !isLink(nameField(field)));
  const token = readGivenToken(name) || entry[TOKEN];
  return { ...entry, [TOKEN]: token, ...Object.fromEntries(given.map((field) => [field, read(nameField(field))])) };
};
