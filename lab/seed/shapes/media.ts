/** Jackett and Plex: `/config`. */
import { Plot } from "../plot.ts";
import { bifHead, blob, cacheDirTag, emptyDatabase, jpegHead, logText } from "./formats.ts";

export const jackett = (seed: string): Plot => {
  const plot = new Plot(seed, { uid: 65_534, gid: 65_534 });
  const { random } = plot;
  const server = {
    Port: 9117,
    AllowExternal: true,
    APIKey: random.hex(32),
    BasePathOverride: null,
    UpdateDisabled: true,
  };
  plot.file("Jackett/ServerConfig.json", { text: `${JSON.stringify(server, null, 2)}\n` }, { mode: 0o600 });
  for (let number = 1; number <= 90; number++) {
    const settings = [
      { id: "sitelink", value: `https://indexer-${number}.invalid/` },
      { id: "cookie", value: random.hex(200) },
    ];
    plot.file(`Jackett/Indexers/indexer-${number}.json`, { text: JSON.stringify(settings, null, 2) });
    if (number % 3 === 0) plot.file(`Jackett/Indexers/indexer-${number}.json.bak`, { text: JSON.stringify(settings) });
  }
  plot.file(
    `Jackett/DataProtection/key-${random.uuid()}.xml`,
    { text: '<?xml version="1.0"?>\n<key version="1"/>\n' },
    { mode: 0o600 },
  );
  plot.file("Jackett/log.txt.1", { text: logText(random, 3000) });
  return plot;
};

const server = "Library/Application Support/Plex Media Server";

/** A film's or episode's folder: pictures under their agent's name, hard-linked into _combined, symlinked from _stored. */
const metadataBundle = (plot: Plot, kind: string, number: number): void => {
  const { random } = plot;
  const hash = random.hex(40);
  const contents = `${server}/Metadata/${kind}/${hash.slice(0, 1)}/${hash.slice(1)}.bundle/Contents`;
  const agent = "tv.plex.agents.series";
  plot.file(`${contents}/${agent}/Info.xml`, {
    text: `<?xml version="1.0"?>\n<MediaContainer id="${number}" agent="${agent}"/>\n`,
  });
  for (const picture of ["posters", "art", "thumbs"]) {
    const name = random.hex(40);
    plot.file(`${contents}/${agent}/${picture}/${name}`, blob(random, [10_000, 60_000], jpegHead));
    plot.hardlink(`${contents}/_combined/${picture}/${agent}_${name}`, `${contents}/${agent}/${picture}/${name}`);
    plot.symlink(`${contents}/_stored/${picture}/${agent}_${name}`, `../../${agent}/${picture}/${name}`);
  }
};

export const plex = (seed: string): Plot => {
  const plot = new Plot(seed, { uid: 1000, gid: 1000 });
  const { random } = plot;
  const preferences = `<?xml version="1.0" encoding="utf-8"?>\n<Preferences MachineIdentifier="${random.uuid()}" ProcessedMachineIdentifier="${random.hex(40)}" FriendlyName="homelab" AcceptedEULA="1"/>\n`;
  plot.file(`${server}/Preferences.xml`, { text: preferences }, { mode: 0o600 });
  for (let number = 0; number < 70; number++) metadataBundle(plot, "Movies", number);
  for (let number = 0; number < 30; number++) metadataBundle(plot, "TV Shows", number);
  for (let number = 0; number < 300; number++) {
    const hash = random.hex(40);
    const bundle = `${server}/Media/localhost/${hash.slice(0, 1)}/${hash.slice(1)}.bundle/Contents`;
    plot.file(`${bundle}/Indexes/index-sd.bif`, blob(random, [2000, 30_000], bifHead));
  }
  plot.directory(`${server}/Plug-in Support/Data`);
  const databases = `${server}/Plug-in Support/Databases`;
  // The copies that Plex makes of its database every few days; the database itself is made by the app.
  for (const day of ["2025-11-01", "2025-11-04"])
    plot.file(`${databases}/com.plexapp.plugins.library.db-${day}`, { bytes: emptyDatabase() });
  for (let number = 0; number < 4; number++) {
    plot.file(`${server}/Plug-in Support/Preferences/com.plexapp.agents.${random.hex(6)}.xml`, {
      text: "<PluginPreferences/>\n",
    });
  }
  plot.file(`${server}/Logs/Plex Media Server.1.log`, { text: logText(random, 2000) });
  plot.symlink(`${server}/Media/remote`, "/media/plex");
  const cached = { leftOutBy: "cachedir" } as const;
  plot.file(`${server}/Cache/CACHEDIR.TAG`, { text: cacheDirTag }, cached);
  plot.directory(`${server}/Cache/PhotoTranscoder`, cached);
  for (let number = 0; number < 120; number++) {
    const shard = random.hex(1);
    plot.directory(`${server}/Cache/PhotoTranscoder/${shard}`, cached);
    plot.file(
      `${server}/Cache/PhotoTranscoder/${shard}/${random.hex(40)}.jpg`,
      blob(random, [3000, 15_000], jpegHead),
      cached,
    );
  }
  return plot;
};
