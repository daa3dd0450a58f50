/** The journal in the cluster: a ConfigMap for each operation. What the server writes; it has no disk of its own. */
import { isFailure } from "../../model/failure.ts";
import type { KubeObject, Kubernetes } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { damaged, taken } from "./failures.ts";
import { byName, inOrder } from "./memory.ts";
import type { JournalStore } from "./port.ts";

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const journalLabel = "holdfast.dev/journal";
const namePrefix = "holdfast-operation-";
const keyOf = (number: number): string => String(number).padStart(6, "0");

export class ConfigMapJournal implements JournalStore {
  readonly #kubernetes: Kubernetes;
  readonly #namespace: string;

  constructor(kubernetes: Kubernetes, namespace: string) {
    this.#kubernetes = kubernetes;
    this.#namespace = namespace;
  }

  async sizes(): Promise<ReadonlyMap<string, number>> {
    const { items } = await this.#kubernetes.list<ConfigMap>(resources.configMaps, {
      namespace: this.#namespace,
      labels: journalLabel,
    });
    return byName(
      items.map(({ metadata, data = {} }) => [metadata.name.slice(namePrefix.length), Object.keys(data).length]),
    );
  }

  async read(operation: string): Promise<readonly string[]> {
    const map = await this.#get(operation);
    const entries = new Map(Object.entries(map?.data ?? {}).map(([key, text]) => [Number(key), text]));
    if ([...entries.keys()].some(Number.isNaN)) throw damaged(operation, "its ConfigMap has a key that is no number");
    return inOrder(operation, entries);
  }

  async append(operation: string, number: number, text: string): Promise<void> {
    const present = await this.#get(operation);
    try {
      if (present === undefined) await this.#create(operation, number, text);
      else if (present.data?.[keyOf(number)] === undefined) await this.#add(present, number, text);
      else throw taken(operation, number);
    } catch (error) {
      // One writer at a time: whoever changed it meanwhile has written an entry.
      if (isFailure(error, "KUBERNETES_CONFLICT")) throw taken(operation, number);
      throw error;
    }
  }

  async remove(operation: string): Promise<void> {
    await this.#kubernetes.remove(resources.configMaps, this.#name(operation));
  }

  #get(operation: string): Promise<ConfigMap | undefined> {
    return this.#kubernetes.get<ConfigMap>(resources.configMaps, this.#name(operation));
  }

  #name(operation: string): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#namespace, name: `${namePrefix}${operation}` };
  }

  async #create(operation: string, number: number, text: string): Promise<void> {
    const labels = {
      "app.kubernetes.io/managed-by": "holdfast",
      [journalLabel]: "true",
      // In a restored cluster an operation of the old one would look unfinished.
      "velero.io/exclude-from-backup": "true",
    };
    const map = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...this.#name(operation), labels },
      data: { [keyOf(number)]: text },
    };
    await this.#kubernetes.create(resources.configMaps, map);
  }

  async #add({ metadata }: ConfigMap, number: number, text: string): Promise<void> {
    const { name, uid, resourceVersion } = metadata;
    await this.#kubernetes.mergePatch(
      resources.configMaps,
      { namespace: this.#namespace, name },
      { metadata: { uid, resourceVersion }, data: { [keyOf(number)]: text } },
    );
  }
}
