/** Kubernetes objects out of a backup's archive: the last known state of the cluster when its API server is gone. */
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { extract } from "tar-stream";
import { Failure, messageOf } from "../../model/failure.ts";
import type { KubeObject } from "../kubernetes/port.ts";
import type { Bucket } from "../s3/port.ts";
import { contentsKey } from "./bucket-layout.ts";

// Not a stream: piped, an error of the decompression would reach nobody.
const unzip = promisify(gunzip);

/** "resources/deployments.apps/namespaces/media/sonarr.json" → "deployments.apps"; other versions of the same object are left out. */
const resourceOf = (path: string): string | undefined =>
  /^resources\/([^/]+)\/(?:namespaces\/[^/]+|cluster)\/[^/]+\.json$/.exec(path)?.[1];

/**
 * Objects of the wanted resources ("pods", "deployments.apps"), by resource. The archive is read from memory once; it
 * holds no volume data, so it is as large as the cluster's objects. Undefined when the backup has no archive.
 */
export const readContents = async (
  bucket: Bucket,
  prefix: string,
  backup: string,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly KubeObject[]> | undefined> => {
  const key = contentsKey(prefix, backup);
  const content = await bucket.get(key);
  if (content === undefined) return undefined;
  const found = new Map<string, KubeObject[]>();
  try {
    for await (const entry of Readable.from([await unzip(content.body)]).pipe(extract())) {
      const resource = resourceOf(entry.header.name);
      if (resource === undefined || !wanted.has(resource)) {
        entry.resume();
        continue;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      const object = JSON.parse(Buffer.concat(chunks).toString("utf8")) as KubeObject;
      found.set(resource, [...(found.get(resource) ?? []), object]);
    }
  } catch (error) {
    throw new Failure("COPY_CORRUPT", {
      what: `The archive ${key} cannot be read.`,
      why: messageOf(error),
      cause: error,
    });
  }
  return found;
};
