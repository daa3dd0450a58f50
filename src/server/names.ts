/** By which names the server is found. */

/** Marks its operations: it goes on with them when it was killed, and `holdfast undo` without an id passes them over. */
export const serveVerb = "serve";

/** The lock whose Lease the leader holds (`leaseName`). No volume has this name: it has no slash. */
export const serveLock = "serve";
