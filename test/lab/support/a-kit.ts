/** A kit of the lab's cluster, made and checked as a user does it on the laptop. */
import { generateIdentity, identityToRecipient } from "age-encryption";
import { succeed } from "./cli.ts";
import type { Folder } from "./configs.ts";

/** Paths of the sealed file and of the identity that opens it. Needs a backup: a kit is proven by what it opens. */
export const makeKit = async (folder: Folder): Promise<{ readonly file: string; readonly identity: string }> => {
  const secret = await generateIdentity();
  const identity = folder.write("kit-identity", `${secret}\n`);
  const file = `${folder.path}/lab.kit`;
  await succeed(["kit", "create", "--out", file, "--recipient", await identityToRecipient(secret), "--yes"]);
  await succeed(["kit", "check", file, "--identity", identity]);
  return { file, identity };
};
