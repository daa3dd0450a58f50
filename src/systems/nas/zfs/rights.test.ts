import { describe, expect, it } from "vitest";
import { neededBy, parseAllowed, parseId, rightsOf } from "./rights.ts";

const holdfast = parseId("uid=1001(holdfast) gid=1001(holdfast) groups=1001(holdfast),27(keepers)\n");

const allowed = `---- Permissions on tank/k8s -----------------------------------------
Permission sets:
	@basic mount,@naming
	@naming create,rename
Create time permissions:
	destroy
Local permissions:
	user holdfast rollback
Local+Descendent permissions:
	user holdfast snapshot,clone,promote
	user other destroy
	group keepers @basic
	everyone userprop
---- Permissions on tank ---------------------------------------------
Descendent permissions:
	user holdfast receive
`;

describe("rights", () => {
  it("say who somebody is", () => {
    expect(holdfast).toEqual({ user: "holdfast", isRoot: false, groups: ["holdfast", "keepers"] });
    expect(parseId("uid=0(root) gid=0(root) groups=0(root)").isRoot).toBe(true);
  });

  it("are one's own, one's groups' and everyone's, where they reach the datasets below", () => {
    const own = ["clone", "create", "mount", "promote", "receive", "rename", "snapshot", "userprop"];
    expect(parseAllowed(allowed, holdfast)).toEqual(own);
    expect(parseAllowed(allowed, { user: "other", isRoot: false, groups: [] })).toEqual(["destroy", "userprop"]);
    expect(parseAllowed("", holdfast)).toEqual([]);
  });

  it("lack what is lacking on one of the parents, and name what a stolen key could destroy with", () => {
    const granted = parseAllowed(allowed, holdfast);
    expect(rightsOf(holdfast, [granted, [...neededBy.nas]], neededBy.nas)).toMatchObject({
      user: "holdfast",
      missing: ["refquota", "volsize"],
      excessive: ["receive"],
    });
    expect(rightsOf(holdfast, [["destroy", "mount", "rollback"]], neededBy.remover)).toMatchObject({
      missing: [],
      excessive: ["rollback"],
    });
  });

  it("of root are all, and too many", () => {
    const root = { user: "root", isRoot: true, groups: [] };
    expect(rightsOf(root, [], neededBy.nas)).toEqual({
      user: "root",
      granted: ["root"],
      missing: [],
      excessive: ["root"],
    });
  });
});
