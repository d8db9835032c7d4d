import { statfsSync } from "node:fs";
import { dirname } from "node:path";

const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x69_69, "nfs"],
  [0x51_7b, "smb"],
  [0xfe_53_4d_42, "smb2"],
  [0xff_53_4d_42, "cifs"],
  [0x65_73_55_46, "fuse"],
  [0x0b_d0_0b_d0, "lustre"],
  [0x47_50_46_53, "gpfs"],
  [0x19_83_03_26, "beegfs"],
  [0x00_c3_64_00, "ceph"],
  [0x53_46_41_4f, "afs"],
  [0x6b_41_46_53, "kafs"],
  [0x01_16_19_70, "gfs2"],
  [0x74_61_63_6c, "ocfs2"],
  [0x01_02_19_97, "9p"],
]);

const BITS = 0xff_ff_ff_ffn;

const readKind = (path: string): number | null => {
  try {
    return Number(statfsSync(path, { bigint: true }).type & BITS);
  } catch {
    return null;
  }
};

/** The kind, by its number in `statfs(2)`, of the file system that other machines may see as well; null for one of this machine. A path that is not there yet is judged by the folder above. */
export const nameSharedFileSystem = (path: string): string | null => {
  const kind = readKind(path);
  if (kind !== null) return SHARED_FILE_SYSTEMS.get(kind) ?? null;
  const above = dirname(path);
  return above === path ? null : nameSharedFileSystem(above);
};
