const UNITS_MIB: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 * 1024 };
const SIZE = /^(\d{1,7}(?:\.\d{1,3})?)([MGT])$/i;

/** MiB, rounded up, of what is typed as `512M`, `10G` or `1.5G` (1024-based); null for all else, a number without a unit included. */
export const parseSize = (text: string): number | null => {
  const [, count, unit = ""] = SIZE.exec(text) ?? [];
  return count === undefined ? null : Math.ceil(Number(count) * (UNITS_MIB[unit.toUpperCase()] ?? 0));
};

/** Whole MiB as `parseSize` reads them: `10G`, `1536M`. */
export const writeSize = (mib: number): string =>
  mib > 0 && mib % 1024 === 0 ? `${mib / 1024}G` : `${Math.round(mib)}M`;

/** MiB for people: `512 MiB`, `7.1 GiB`. */
export const formatMib = (mib: number): string =>
  mib < 1024 ? `${Math.round(mib)} MiB` : `${Number((mib / 1024).toFixed(1))} GiB`;
