/** Sonarr and Radarr: `/config`. Their databases are made by the app itself. */
import { Plot } from "../plot.ts";
import { blob, jpegHead, logText, zipHead } from "./formats.ts";
import { links, names, permissions, sparse, times } from "./oddities.ts";

interface Servarr {
  readonly name: "Sonarr" | "Radarr";
  readonly port: number;
  readonly uid: number;
  readonly gid: number;
  /** Series or films, with three pictures each. */
  readonly titles: number;
}

const configXml = (name: string, port: number, apiKey: string): string => `<Config>
  <BindAddress>*</BindAddress>
  <Port>${port}</Port>
  <EnableSsl>False</EnableSsl>
  <ApiKey>${apiKey}</ApiKey>
  <AuthenticationMethod>Forms</AuthenticationMethod>
  <Branch>main</Branch>
  <LogLevel>info</LogLevel>
  <UrlBase></UrlBase>
  <InstanceName>${name}</InstanceName>
</Config>
`;

const servarr = (seed: string, { name, port, uid, gid, titles }: Servarr): Plot => {
  const plot = new Plot(seed, { uid, gid });
  const { random } = plot;
  const lower = name.toLowerCase();
  plot.file("config.xml", { text: configXml(name, port, random.hex(32)) }, { mode: 0o600 });
  for (let title = 1; title <= titles; title++) {
    plot.file(`MediaCover/${title}/poster.jpg`, blob(random, [20_000, 60_000], jpegHead));
    plot.file(`MediaCover/${title}/fanart.jpg`, blob(random, [30_000, 90_000], jpegHead));
    plot.file(`MediaCover/${title}/banner.jpg`, blob(random, [5000, 20_000], jpegHead));
  }
  for (const day of ["01", "08", "15"]) {
    const backup = `Backups/scheduled/${lower}_backup_v4.0.15.2941_2025.11.${day}_03.17.21.zip`;
    plot.file(backup, blob(random, [900_000, 1_400_000], zipHead));
  }
  plot.directory("Backups/manual");
  for (let number = 0; number < 5; number++) plot.file(`logs/${lower}.${number}.txt`, { text: logText(random, 400) });
  for (let key = 0; key < 6; key++) {
    plot.file(
      `asp/key-${random.uuid()}.xml`,
      { text: `<?xml version="1.0"?><key id="${random.uuid()}" version="1"/>\n` },
      { mode: 0o600 },
    );
  }
  return plot;
};

export const sonarr = (seed: string): Plot => {
  const plot = servarr(seed, { name: "Sonarr", port: 8989, uid: 1000, gid: 1000, titles: 220 });
  // The volume of the demo also holds what a restore most easily gets wrong.
  names(plot, "odd/names");
  links(plot, "odd/links");
  permissions(plot, "odd/permissions");
  sparse(plot, "odd/sparse");
  times(plot, "odd/times");
  return plot;
};

/** Owned by TrueNAS' user "apps". */
export const radarr = (seed: string): Plot =>
  servarr(seed, { name: "Radarr", port: 7878, uid: 568, gid: 568, titles: 150 });
