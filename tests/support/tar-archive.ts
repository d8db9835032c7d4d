export type TarMember = Readonly<{ name: string; type?: string; mode?: number; link?: string; body?: string }>;

const BLOCK = 512;

const writeOctal = (header: Buffer, value: number, at: number, length: number): void => {
  header.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
};

const createHeader = ({ name, type = "0", mode = 0o644, link = "", body = "" }: TarMember): Buffer => {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  writeOctal(header, mode, 100, 8);
  writeOctal(header, 0, 108, 8);
  writeOctal(header, 0, 116, 8);
  writeOctal(header, Buffer.byteLength(body), 124, 12);
  writeOctal(header, 1_700_000_000, 136, 12);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write("ustar\u000000", 257, "latin1");
  if (type === "3" || type === "4") {
    writeOctal(header, 1, 329, 8);
    writeOctal(header, 3, 337, 8);
  }
  writeOctal(
    header,
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
};

/** A tar archive made by hand, so that it may hold what no tar program would write. */
export const createTar = (members: readonly TarMember[]): Uint8Array => {
  const blocks = members.flatMap((member) => {
    const body = Buffer.from(member.body ?? "");
    const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
    return [createHeader(member), body, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(BLOCK * 2)]);
};
