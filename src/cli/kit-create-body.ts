/** `holdfast kit create`: everything that opens the backups, sealed into one file. */
import manifest from "../../package.json" with { type: "json" };
import { clusterFacts } from "../kit/facts.ts";
import { kitText } from "../kit/kit.ts";
import { makeKit } from "../kit/make.ts";
import { type Lock, seal } from "../kit/seal.ts";
import { commandBody } from "./body.ts";
import type { WorldFlags } from "./flags.ts";
import { refuseToReplace, writeKitFile } from "./kit-files.ts";
import { lockOf, type SealingFlags } from "./kit-key.ts";

interface CreateFlags extends WorldFlags, SealingFlags {
  readonly out: string;
  readonly yes: boolean;
}

const opens = (lock: Lock): string => {
  if (lock.kind === "passphrase")
    return "Its passphrase opens it; without that nobody can, so write it down, apart from the kit.";
  const { length } = lock.recipients;
  const who = length === 1 ? "the identity of its recipient" : `the identity of any of its ${length} recipients`;
  return `Opened by ${who}; keep that identity outside the cluster too, apart from the kit.`;
};

export const createKit = commandBody<CreateFlags, []>(async (cli, world, flags) => {
  const { context } = cli;
  const { config } = world.loaded;
  await refuseToReplace(context, flags.out, flags.yes);
  const secrets = await world.secrets();
  const { uid, ...versions } = await clusterFacts(() => world.kubernetes(), config.velero.namespace);
  const known = Object.fromEntries(Object.entries(versions).filter(([, version]) => version !== undefined));
  const kit = makeKit(config, secrets, {
    now: context.clock.now(),
    uid,
    versions: { holdfast: manifest.version, ...known },
  });
  const lock = await lockOf(context, flags, config);
  const file = await writeKitFile(context, flags.out, await seal(kitText(kit), lock));
  const lines = [
    `${file} is the kit of the cluster "${kit.cluster.name}".`,
    ...(uid === undefined
      ? ["The cluster did not answer: the kit does not say its UID and versions. It opens the backups all the same."]
      : []),
    opens(lock),
    "Keep it outside the cluster and outside the NAS, in two places.",
    `It is not proven yet: \`holdfast kit check ${flags.out}\` uses it, and turns \`holdfast status\` green.`,
  ];
  context.stdout.write(`${lines.join("\n")}\n`);
});
