/**
 * An inventory as lines of JSON: a head, then one object a line. A Kubernetes object stands in its line as the bytes that
 * the API server sent, so that `zcat FILE | jq` and we see the same, and nothing was lost on the way.
 */
import { z } from "zod";
import type { Dataset, IscsiExtent, IscsiTarget, IscsiTargetExtent, NfsShare } from "../../systems/nas/port.ts";
import type { NasView } from "../datasets/answer.ts";
import { type InventoryContent, type NasObject, nasObjects, type RawObjects } from "./content.ts";

const headSchema = z.object({
  holdfast: z.literal("inventory"),
  version: z.literal(1),
  /** UID of kube-system. */
  cluster: z.string(),
  /** ISO 8601. */
  time: z.string(),
  fingerprint: z.string(),
  /** Null: the NAS was not read. */
  nas: z.object({ addresses: z.array(z.string()), exports: z.boolean(), iqnBase: z.string().optional() }).nullable(),
});

export type Head = z.output<typeof headSchema>;

/** The lines after the head, without line ends. */
export function* linesOfContent(content: InventoryContent): Generator<string, void, undefined> {
  for (const { resource, texts } of content.kubernetes) {
    const { plural, apiVersion, kind } = resource;
    const place = JSON.stringify({ resource: plural, apiVersion, kind }).slice(0, -1);
    for (const text of texts)
      // White space of a server that writes for people would end the line too early.
      yield /[\n\r]/.test(text) ? `${place},"text":${JSON.stringify(text)}}` : `${place},"object":${text}}`;
  }
  if (content.nas === undefined) return;
  for (const object of nasObjects(content.nas)) yield JSON.stringify(object);
}

/** The head's line without its end. */
export const headLine = (head: Head): string => JSON.stringify(head);

/** Throws SyntaxError or ZodError. */
export const readHead = (line: string): Head => headSchema.parse(JSON.parse(line));

const kubernetesLine = /^\{"resource":("[^"]*"),"apiVersion":("[^"]*"),"kind":("[^"]*"),"(object|text)":(.*)\}$/s;

/** Takes lines after the head, one by one, and gives what they say together. */
export class ContentReader {
  readonly #kinds = new Map<string, { readonly resource: RawObjects["resource"]; readonly texts: string[] }>();
  readonly #datasets: Dataset[] = [];
  readonly #nfs: NfsShare[] = [];
  readonly #targets: IscsiTarget[] = [];
  readonly #extents: IscsiExtent[] = [];
  readonly #targetExtents: IscsiTargetExtent[] = [];

  /** Throws SyntaxError for a line that is none of ours; kinds of NAS objects that it does not know are passed over. */
  take(line: string): void {
    const [, plural, apiVersion, kind, form, text] = kubernetesLine.exec(line) ?? [];
    if (plural === undefined || apiVersion === undefined || kind === undefined || text === undefined) {
      this.#takeNas(JSON.parse(line) as NasObject);
      return;
    }
    const id = `${apiVersion} ${plural}`;
    const resource = { plural: unquoted(plural), apiVersion: unquoted(apiVersion), kind: unquoted(kind) };
    const list = this.#kinds.get(id) ?? { resource, texts: [] };
    list.texts.push(form === "text" ? unquoted(text) : text);
    this.#kinds.set(id, list);
  }

  content(head: Head): InventoryContent {
    return { kubernetes: [...this.#kinds.values()], nas: head.nas === null ? undefined : this.#view(head.nas) };
  }

  #takeNas({ nas, object }: NasObject): void {
    if (nas === "dataset") this.#datasets.push(object);
    if (nas === "nfs-share") this.#nfs.push(object);
    if (nas === "iscsi-target") this.#targets.push(object);
    if (nas === "iscsi-extent") this.#extents.push(object);
    if (nas === "iscsi-target-extent") this.#targetExtents.push(object);
  }

  #view({ addresses, exports, iqnBase }: NonNullable<Head["nas"]>): NasView {
    const all = {
      iqnBase,
      nfs: this.#nfs,
      targets: this.#targets,
      extents: this.#extents,
      targetExtents: this.#targetExtents,
    };
    return { addresses, datasets: this.#datasets, exports: exports ? all : undefined };
  }
}

const unquoted = (text: string): string => JSON.parse(text) as string;
