/** What restores most easily get wrong. Each part draws one kind below a folder. */
import { Plot } from "../plot.ts";
import { blob, cacheDirTag } from "./formats.ts";

const page = 4096;
const second = 1_000_000_000n;

/** Names that trip programs up. All are valid UTF-8; every one is a single path component. */
export const oddNames: readonly string[] = [
  "with space",
  " leading and trailing ",
  'double"quote',
  "single'quote",
  "back`tick $(whoami) ${HOME}",
  "semi;colon & ampersand | pipe > redirect",
  "star * question ? bracket [a-z] {brace}",
  "new\nline",
  "tab\there",
  "carriage\rreturn",
  "-rf",
  "--help",
  "~",
  "#hash",
  "percent %s %00 %2e",
  "back\\slash",
  "C:\\Windows",
  "...",
  "..hidden",
  ".dotfile",
  "trailing.",
  "caf\u00E9 composed",
  "cafe\u0301 decomposed",
  "\u00C5ngstr\u00F6m",
  "A\u030Angstro\u0308m",
  "\u{1F4BE} emoji \u{1F469}\u200D\u{1F4BB}",
  "\u65E5\u672C\u8A9E",
  "\u202Eright to left",
  "UPPER",
  "upper",
  "lost+found",
  ".velero",
  "n".repeat(255),
  // 255 bytes in fewer characters.
  "\u00E9".repeat(127) + "x",
];

export const names = (plot: Plot, folder: string): void => {
  for (const name of oddNames) plot.file(`${folder}/${name}`, blob(plot.random, [1, 900]));
  plot.file(`${folder}/folder with\nnewline/\u{1F4C1}/file "inside"`, { text: "deep\n" });
  const deep = Array.from({ length: 40 }, (_, level) => `level-${level}`).join("/");
  plot.file(`${folder}/${deep}/bottom`, { text: "forty levels down\n" });
};

export const links = (plot: Plot, folder: string): void => {
  plot.file(`${folder}/target`, blob(plot.random, [5000, 9000]));
  plot.symlink(`${folder}/relative`, "target");
  plot.symlink(`${folder}/upwards`, "../links/target");
  plot.symlink(`${folder}/absolute`, "/config/config.xml");
  plot.symlink(`${folder}/dangling`, "nothing/here");
  plot.symlink(`${folder}/outside`, "../../../../etc/passwd");
  plot.symlink(`${folder}/to-folder`, ".");
  plot.symlink(`${folder}/loop`, "loop");
  plot.symlink(`${folder}/odd target`, "new\nline and \u{1F517}");
  plot.symlink(`${folder}/of-another-owner`, "target", { uid: 911, gid: 100 });
  plot.symlink(`${folder}/long`, `${"x".repeat(250)}/${"y".repeat(250)}/${"z".repeat(250)}`);
  plot.hardlink(`${folder}/second-name`, `${folder}/target`);
  plot.hardlink(`${folder}/elsewhere/third-name`, `${folder}/target`);
  plot.file(`${folder}/setuid`, blob(plot.random, [100, 200]), { mode: 0o4755, uid: 0, gid: 0 });
  plot.hardlink(`${folder}/setuid-again`, `${folder}/setuid`);
};

const owners: readonly (readonly [number, number])[] = [
  [0, 0],
  [1000, 1000],
  [568, 568],
  [911, 100],
  [65_534, 65_534],
  [0, 1000],
  [2_000_000_000, 2_000_000_001],
];
const modes = [
  0o000, 0o200, 0o400, 0o444, 0o600, 0o640, 0o644, 0o666, 0o755, 0o777, 0o1644, 0o2755, 0o4755, 0o6711, 0o7777,
];
const folderModes = [0o000, 0o500, 0o555, 0o700, 0o711, 0o750, 0o755, 0o777, 0o1777, 0o2775, 0o3770, 0o4755];

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

export const permissions = (plot: Plot, folder: string): void => {
  for (const mode of modes) plot.file(`${folder}/mode-${octal(mode)}`, blob(plot.random, [1, 300]), { mode });
  for (const mode of folderModes) {
    plot.directory(`${folder}/folder-${octal(mode)}`, { mode });
    plot.file(`${folder}/folder-${octal(mode)}/inside`, { text: "inside\n" });
  }
  for (const [uid, gid] of owners) {
    plot.file(`${folder}/owner-${uid}-${gid}`, blob(plot.random, [1, 300]), { uid, gid });
    // An owner other than root together with setuid: changing the owner clears the bit, so the order matters.
    plot.file(`${folder}/setuid-${uid}-${gid}`, { text: "#!/bin/sh\n" }, { uid, gid, mode: 0o6755 });
    plot.directory(`${folder}/folder-of-${uid}-${gid}`, { uid, gid, mode: 0o700 });
  }
  plot.file(`${folder}/empty-file`, { text: "" });
  plot.directory(`${folder}/empty-folder`);
};

const mebibyte = 1 << 20;

export const sparse = (plot: Plot, folder: string): void => {
  plot.file(`${folder}/disk.img`, {
    size: 64 * mebibyte,
    extents: [
      { offset: 0, length: 16 * page },
      { offset: 17 * mebibyte, length: 24 * page },
      { offset: 48 * mebibyte + page, length: page },
      // The file goes on with a hole after this.
      { offset: 63 * mebibyte, length: 8 * page },
    ],
  });
  plot.file(`${folder}/nothing-but-hole`, { size: 3 * mebibyte + 123, extents: [] });
  plot.file(`${folder}/starts-with-hole`, { size: mebibyte, extents: [{ offset: mebibyte - page, length: page }] });
};

/** From 1971 to 2037: neither zfs-fuse nor ext4 with small inodes takes times beyond 32 bits. */
export const times = (plot: Plot, folder: string): void => {
  const text = { text: "time\n" };
  plot.file(`${folder}/1971`, text, { mtime: 31_536_000n * second });
  plot.file(`${folder}/1999`, text, { mtime: 946_684_799n * second });
  plot.file(`${folder}/2037`, text, { mtime: 2_145_916_799n * second });
  plot.file(`${folder}/nanoseconds`, text, { mtime: 1_700_000_000n * second + 123_456_789n });
  plot.file(`${folder}/last-nanosecond`, text, { mtime: 1_700_000_000n * second + 999_999_999n });
  plot.directory(`${folder}/old-folder`, { mtime: 1_000_000_000n * second });
  plot.file(`${folder}/old-folder/young-file`, text);
  plot.symlink(`${folder}/old-link`, "1971", { mtime: 1_000_000_000n * second });
};

/** Files that kopia leaves out by default, beside files that look like them and that it keeps. */
export const leftOut = (plot: Plot, folder: string): void => {
  const ignored = { leftOutBy: "kopiaignore" } as const;
  const cached = { leftOutBy: "cachedir" } as const;
  const { random } = plot;
  plot.file(`${folder}/ignore/.kopiaignore`, { text: "# can be made again\n*.tmp\n/transcode\nthumbs/\n!keep.tmp\n" });
  plot.file(`${folder}/ignore/a.tmp`, blob(random, [100, 900]), ignored);
  plot.file(`${folder}/ignore/deeper/b.tmp`, blob(random, [100, 900]), ignored);
  plot.file(`${folder}/ignore/keep.tmp`, blob(random, [100, 900]));
  plot.file(`${folder}/ignore/a.tmp.txt`, blob(random, [100, 900]));
  plot.directory(`${folder}/ignore/transcode`, ignored);
  plot.file(`${folder}/ignore/transcode/one`, blob(random, [100, 900]), ignored);
  plot.file(`${folder}/ignore/deeper/transcode/two`, blob(random, [100, 900]));
  plot.directory(`${folder}/ignore/deeper/thumbs`, ignored);
  plot.file(`${folder}/ignore/deeper/thumbs/three`, blob(random, [100, 900]), ignored);
  // Of a tagged directory only the directory itself is kept, not even the tag.
  plot.file(`${folder}/tagged/CACHEDIR.TAG`, { text: cacheDirTag }, cached);
  plot.file(`${folder}/tagged/precious`, blob(random, [100, 900]), cached);
  plot.directory(`${folder}/tagged/deeper`, cached);
  plot.file(`${folder}/tagged/deeper/precious`, blob(random, [100, 900]), cached);
  plot.file(`${folder}/tag-is-wrong/CACHEDIR.TAG`, { text: "Signature: not that one\n" });
  plot.file(`${folder}/tag-is-wrong/kept`, blob(random, [100, 900]));
};

/** A volume with every oddity, owned by root. */
export const odd = (seed: string): Plot => {
  const plot = new Plot(seed, { uid: 0, gid: 0 });
  names(plot, "names");
  links(plot, "links");
  permissions(plot, "permissions");
  sparse(plot, "sparse");
  times(plot, "times");
  leftOut(plot, "left-out");
  return plot;
};
