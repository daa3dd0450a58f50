/** qBittorrent's `--profile=/config`: its settings, and for every torrent its metadata and its state. */
import { Plot } from "../plot.ts";
import { bencode, type Bencodable, sha1 } from "./formats.ts";

const torrents = 500;
const savePath = "/media/downloads";
const pieceLength = 1 << 20;

const settings = `[BitTorrent]
Session\\DefaultSavePath=${savePath}
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\Port=60608
Session\\QueueingSystemEnabled=false

[LegalNotice]
Accepted=true

[Network]
PortForwardingEnabled=false

[Preferences]
General\\Locale=en
WebUI\\AuthSubnetWhitelist=0.0.0.0/0
WebUI\\AuthSubnetWhitelistEnabled=true
WebUI\\LocalHostAuth=false
WebUI\\Port=8080
`;

const torrent = (plot: Plot, number: number): void => {
  const { random } = plot;
  const pieces = random.between(1, 40);
  const length = (pieces - 1) * pieceLength + random.between(1, pieceLength);
  const name = `Linux.Distribution.${number}.x86_64-${random.hex(6)}.iso`;
  const info: Bencodable = { length, name, "piece length": pieceLength, pieces: random.bytes(20 * pieces), private: 1 };
  const hash = sha1(bencode(info));
  const added = 1_700_000_000 + random.between(0, 50_000_000);
  const state: Bencodable = {
    "file-format": "libtorrent resume file",
    "file-version": 1,
    "libtorrent-version": "2.0.8.0",
    "info-hash": hash,
    name,
    save_path: savePath,
    "qBt-savePath": savePath,
    "qBt-category": "",
    "qBt-name": "",
    "qBt-tags": [],
    "qBt-contentLayout": "Original",
    "qBt-seedStatus": 1,
    "qBt-firstLastPiecePriority": 0,
    "qBt-ratioLimit": -2000,
    "qBt-seedingTimeLimit": -2,
    paused: 1,
    auto_managed: 0,
    seed_mode: 1,
    added_time: added,
    completed_time: added + 3600,
    total_downloaded: length,
    total_uploaded: random.between(0, 2_000_000_000),
    pieces: Buffer.alloc(pieces, 1),
    trackers: [["https://tracker.invalid/announce"]],
  };
  const file = `qBittorrent/data/BT_backup/${hash.toString("hex")}`;
  plot.file(`${file}.torrent`, {
    bytes: bencode({ announce: "https://tracker.invalid/announce", "creation date": added, info }),
  });
  plot.file(`${file}.fastresume`, { bytes: bencode(state) });
};

export const qbittorrent = (seed: string): Plot => {
  const plot = new Plot(seed, { uid: 1000, gid: 1000 });
  plot.file("qBittorrent/config/qBittorrent.conf", { text: settings });
  for (let number = 1; number <= torrents; number++) torrent(plot, number);
  return plot;
};
