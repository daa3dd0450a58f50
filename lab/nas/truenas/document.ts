/** docs/nas/stand-in.md: the methods and the versions they answer in, and what no stand-in on zfs-fuse can show. */
import type { Access } from "./method.ts";
import { methods } from "./methods.ts";
import { releases } from "./release.ts";

const who = (access: Access): string => (typeof access === "string" ? access.replace("-", " ") : access.join(" or "));

/** One row for each name; where a name changes its access with the release, both are in it. */
const rows = (): readonly string[] => {
  const names = [...new Set(methods.map(({ name }) => name))].sort();
  return names.map((name) => {
    const own = methods.filter((method) => method.name === name);
    const marks = releases.map((release) => {
      const method = own.find((one) => one.releases.includes(release));
      if (method === undefined) return "–";
      return method.private ? "private" : "yes";
    });
    const access = [...new Set(own.filter((method) => !method.private).map((method) => who(method.access)))];
    return `| \`${name}\` | ${marks.join(" | ")} | ${access.join("; ")} |`;
  });
};

const table = (): readonly string[] => [
  `| method | ${releases.join(" | ")} | who may |`,
  `| --- | ${releases.map(() => "---").join(" | ")} | --- |`,
  ...rows(),
];

const differences = `## What differs between the releases

Read in the sources of TrueNAS' middleware (tags TS-24.10.2, TS-25.04.2, TS-25.10.1, TS-26.0.0-BETA.3) and copied:

- 24.10 has no \`/api/current\` (404): REST only. Only FULL_ADMIN may use REST, whatever roles a user has; a key of 24.10 may instead carry an allow-list of resources. 26 has no REST (404).
- A GUID and a createtxg of a dataset are given by \`pool.dataset.query\` only from 25.10 on, and only when \`extra.properties\` names them. Before, no public method gives them; of snapshots every release does.
- From 25.10 on \`pool.dataset.query\` calls every user property LOCAL, also an inherited one. Before, the source is right.
- Up to 25.10 a snapshot's properties are all given; 26 gives those that \`extra.properties\` names and none without, never a user property, and \`creation\` as a plain number.
- \`zfs.resource.*\` gives GUIDs as whole numbers beyond 2^53: whoever reads them with JSON.parse loses digits. \`properties.guid.raw\` has them as text.
- 26: \`pool.dataset.delete\` answers true also when the destroy failed; with \`recursive\` it destroys clones and takes one hold of each snapshot away. Without it, a dataset with snapshots is refused. \`pool.snapshot.update\` does nothing. \`zfs.resource.snapshot.clone\` does not mount, and nothing public does; \`pool.snapshot.clone\` mounts.
- 26: what goes wrong in \`pool.snapshot.{clone,hold,release,rollback}\` is a call error EINVAL without an error's name in its text.
- A key that is used over ws without TLS is revoked and login answers EXPIRED, unless the peer is loopback. REST takes a key in clear and does not revoke it.
`;

const limits = `## What cannot be reproduced here

The pool is zfs-fuse 0.7.0, pool version 23. No result against the stand-in says anything about these on real hardware:

- **iSCSI.** There are no zvols, no initiator and no target. A volume is a filesystem with an image in it; sessions are what a test says they are. Logging in, SCST's reload and cached sizes, stale page caches after a rollback: not proven.
- **NFS.** There is no NFS client: a share is a mount that the node sees by propagation. ESTALE after a swap of datasets: not proven.
- **GUID and createtxg** are given out by the lab (a counter on the pool). They count up and stay with their object, but a recursive snapshot does not have one createtxg.
- **One transaction.** A recursive snapshot without exclusions is one of zfs'; with \`exclude\` the stand-in takes them one after the other. 26's channel programs are imitated step by step.
- **Bookmarks, encryption, dRAID, quotas of users, \`written\`, \`clones\`, lz4 and zstd** do not exist.
- **Holds** that somebody set with zfs itself are counted, but their tags are not known.
- **Rollback under use.** OpenZFS rolls back under a running client; zfs-fuse waits until nobody uses the dataset.
- **Time.** Commands of zfs-fuse take milliseconds where a busy NAS takes seconds; nothing here shows a timeout that a large pool would cause.
- **Not imitated**: SCRAM, tokens, one-time passwords, rate limits before login, \`core.bulk\`, jobs of replication, events of other collections than \`core.get_jobs\`, the legacy \`/websocket\`, older schemas below \`/api/v25.*\` of a newer server: they answer as \`/api/current\`.
`;

export const standInDocument = (): string =>
  [
    "# The TrueNAS stand-in",
    "",
    "`lab/nas/truenas/` answers TrueNAS' API on the lab's ZFS pool; `zfs` does the work. This page is printed by `lab/nas/truenas/main.ts --list` and held to the table of methods by a test.",
    "",
    "## Methods",
    "",
    'A method that a release does not have answers -32601, over REST 404. "private": TrueNAS does not list it and still answers, to FULL_ADMIN only.',
    "",
    ...table(),
    "",
    differences,
    limits.trimEnd(),
    "",
  ].join("\n");
