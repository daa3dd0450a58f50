/** `iscsi.global.*`, portals and initiators: what targets build on. */
import { filterList, filtersSchema, optionsSchema } from "../filters.ts";
import { method } from "../method.ts";
import { releases } from "../release.ts";
import type { World } from "../world.ts";

/** In front of every target's name. */
export const baseName = "iqn.2005-10.org.freenas.ctl";

const config = {
  id: 1,
  basename: baseName,
  isns_servers: [],
  listen_port: 3260,
  pool_avail_threshold: null,
  alua: false,
  iser: false,
} as const;

const sessionDefaults = {
  initiator_alias: null,
  target_alias: "",
  header_digest: null,
  data_digest: null,
  max_data_segment_length: null,
  max_receive_data_segment_length: 1_048_576,
  max_xmit_data_segment_length: 1_048_576,
  max_burst_length: 1_048_576,
  first_burst_length: 65_536,
  immediate_data: true,
  iser: false,
  offload: false,
} as const;

const sessions = async ({ state }: World): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await state.read()).sessions.map((session) => Object.assign({}, sessionDefaults, session));

/** The names of targets, among these, that somebody is logged in to. */
export const targetsInUse = async (world: World, names: readonly string[]): Promise<readonly string[]> => {
  const used = new Set((await sessions(world)).map(({ target }) => target));
  return names.filter((name) => used.has(`${baseName}:${name}`));
};

export const iscsiGlobalMethods = [
  method("iscsi.global.config", { releases, access: ["SHARING_ISCSI_GLOBAL_READ"] }, {}, async () => config),
  method(
    "iscsi.global.sessions",
    { releases, access: ["SHARING_ISCSI_GLOBAL_READ"] },
    { query_filters: filtersSchema, query_options: optionsSchema },
    async ({ world }, { query_filters: filters, query_options: options }) =>
      filterList(await sessions(world), filters, options),
  ),
  method(
    "iscsi.portal.query",
    { releases, access: ["SHARING_ISCSI_PORTAL_READ"] },
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList((await world.state.read()).portals, filters, options),
  ),
  method(
    "iscsi.initiator.query",
    { releases, access: ["SHARING_ISCSI_INITIATOR_READ"] },
    { filters: filtersSchema, options: optionsSchema },
    async ({ world }, { filters, options }) => filterList((await world.state.read()).initiators, filters, options),
  ),
];
