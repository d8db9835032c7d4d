export const MASK = "********";

const CREDENTIAL =
  /key|token|secret|passw|passphrase|pass(?![a-z])|pwd|auth|cred|private|webhook|cookie|session|dsn|jwt|bearer|sids?(?![a-z])|_pat(?![a-z])/i;
const PERSONAL = /phone|number/i;

const RANDOM_TEXT = /^(?=.*[0-9])(?=.*[A-Za-z])[\w+/=.~-]{16,}$/;
const PATH_OR_NAME = /^[./~]|[/.](com|org|net|io|py|sh|json|ya?ml|txt)\b/;
const LOGIN_IN_URL = /(:\/\/)([^\s:/?#@"<>]*)(:[^\s/?#"<>]+)?@/g;
const LEAST_LENGTH = 4;

/** What is not even shown while it is typed. */
export const isCredentialName = (name: string): boolean => CREDENTIAL.test(name);

/** Of a variable, a setting or a field. */
export const isSecretName = (name: string): boolean => isCredentialName(name) || PERSONAL.test(name);

export const looksRandom = (value: string): boolean => RANDOM_TEXT.test(value) && !PATH_OR_NAME.test(value);

/** A variable's value, by its name or because it looks random. */
export const isSecret = (name: string, value: string): boolean => isSecretName(name) || looksRandom(value);

const maskLogin = (_login: string, start: string, user: string, password: string | undefined): string =>
  `${start}${looksRandom(user) ? MASK : user}${password === undefined ? "" : `:${MASK}`}@`;

/** Passwords in URLs, and tokens in the place of a user. */
export const maskUrls = (text: string): string => text.replace(LOGIN_IN_URL, maskLogin);

/** Values of the environment that must not be shown, and each of their lines, longest first. */
export const listSecrets = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(env)
    .filter(([name, value]) => isSecret(name, value))
    .flatMap(([, value]) => [value, ...value.split(/\r?\n/)])
    .map((value) => value.trim())
    .filter((value) => value.length >= LEAST_LENGTH)
    .toSorted((a, b) => b.length - a.length);

/** Also hides what `maskUrls` does. */
export const maskSecrets = (text: string, secrets: readonly string[]): string =>
  maskUrls(secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text));

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !(value instanceof Date || value instanceof Error);

const maskField = (value: unknown, isOfSecret: boolean): unknown => {
  if (Array.isArray(value)) return value.map((item) => maskField(item, isOfSecret));
  if (isFields(value)) return maskFields(value, isOfSecret);
  if (value === null || value === undefined || typeof value === "boolean") return value;
  if (isOfSecret) return MASK;
  return typeof value === "string" ? maskUrls(value) : value;
};

/** Values by the names of their fields; that of a secret holds for all below it, and a switch or nothing is never secret. */
export const maskFields = (fields: Fields, isOfSecret = false): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, maskField(value, isOfSecret || isSecretName(name))]),
  );
