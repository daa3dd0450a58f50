import type { KubeObject } from "./port.ts";

/** "namespace/name"; "/name" of what has no namespace. */
export const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;
