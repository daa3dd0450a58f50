/** Pi-hole's `/etc/pihole` and Mealie's `/app/data`. Their databases are made by the apps themselves. */
import { Plot } from "../plot.ts";
import { blob, webpHead, zipHead } from "./formats.ts";

const pad = (number: number): string => String(number).padStart(2, "0");

export const pihole = (seed: string): Plot => {
  const plot = new Plot(seed, { uid: 0, gid: 0 });
  const { random } = plot;
  const toml = [
    "[dns]",
    '  upstreams = ["9.9.9.9", "149.112.112.112"]',
    "  port = 53",
    "[webserver.api]",
    `  pwhash = "$BALLOON-SHA256$v=1$s=1024,t=32$${random.hex(64)}"`,
    "",
  ];
  const pihole = { uid: 999, gid: 1000 };
  plot.file("pihole.toml", { text: toml.join("\n") }, { ...pihole, mode: 0o640 });
  const hosts = Array.from(
    { length: 120 },
    (_, number) => `10.0.${random.between(0, 255)}.${number} host-${number}.home.arpa\n`,
  );
  plot.file("custom.list", { text: hosts.join("") });
  for (let list = 1; list <= 6; list++) {
    const domains = Array.from({ length: 9000 }, () => `ads-${random.hex(12)}.example.invalid\n`);
    plot.file(`list.${list}.lists.invalid.domains`, { text: domains.join("") }, pihole);
    plot.file(`list.${list}.lists.invalid.domains.sha1`, { text: `${random.hex(40)}\n` }, pihole);
  }
  plot.file("dhcp.leases", { text: "" }, pihole);
  plot.file("tls.pem", blob(random, [2000, 3000]), { ...pihole, mode: 0o600 });
  plot.file("cli_pw", { text: `${random.hex(40)}\n` }, { ...pihole, mode: 0o640 });
  for (const day of ["01", "02", "03"])
    plot.file(`config_backups/pihole.toml.2025-11-${day}`, { text: toml.join("\n") }, pihole);
  plot.directory("migration_backup_v6", { ...pihole, mode: 0o2775 });
  return plot;
};

export const mealie = (seed: string): Plot => {
  const plot = new Plot(seed, { uid: 911, gid: 100 });
  const { random } = plot;
  for (let recipe = 0; recipe < 90; recipe++) {
    const images = `recipes/${random.uuid()}/images`;
    plot.file(`${images}/original.webp`, blob(random, [60_000, 200_000], webpHead));
    plot.file(`${images}/min-original.webp`, blob(random, [15_000, 40_000], webpHead));
    plot.file(`${images}/tiny-original.webp`, blob(random, [2000, 6000], webpHead));
    if (recipe % 4 === 0) plot.directory(images.replace(/images$/, "assets"));
  }
  for (let user = 0; user < 3; user++)
    plot.file(`users/${random.uuid()}/profile.webp`, blob(random, [8000, 20_000], webpHead));
  for (let month = 9; month <= 10; month++) {
    plot.file(`backups/mealie_2025.${pad(month)}.01.04.00.00.zip`, blob(random, [500_000, 900_000], zipHead));
  }
  plot.file(".secret", { text: random.hex(64) }, { mode: 0o600 });
  plot.file(".session_secret", { text: random.hex(64) }, { mode: 0o600 });
  plot.directory("groups");
  plot.directory("templates");
  return plot;
};
