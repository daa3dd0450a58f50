/** What a method of the API is. The table is in methods.ts. */
import { z } from "zod";
import type { Arguments, Parameters } from "./arguments.ts";
import type { Release } from "./release.ts";
import type { Role } from "./roles.ts";
import type { Session } from "./session.ts";
import type { World } from "./world.ts";

/** Where a call comes from and what it works on. */
export interface Call {
  readonly world: World;
  readonly session: Session;
}

/**
 * Who may call: somebody with one of these roles; anybody who is logged in; anybody at all. FULL_ADMIN has every role.
 */
export type Access = readonly Role[] | "logged-in" | "anybody";

export interface Method {
  readonly name: string;
  readonly releases: readonly Release[];
  readonly access: Access;
  /** TrueNAS does not list it and still answers. */
  readonly private: boolean;
  readonly parameters: Parameters;
  /** Whether it starts a job. */
  readonly job: boolean;
  readonly run: (call: Call, args: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export interface MethodTraits {
  readonly releases: readonly Release[];
  readonly access: Access;
  readonly private?: boolean;
  readonly job?: boolean;
}

/** Defines a method; what `run` gets are the arguments that the parameters let through. */
export const method = <const P extends Parameters>(
  name: string,
  traits: MethodTraits,
  parameters: P,
  run: (call: Call, args: Arguments<P>) => Promise<unknown>,
): Method => ({
  name,
  private: false,
  job: false,
  ...traits,
  parameters,
  run: (call, args) => run(call, args as Arguments<P>),
});

/** Options that may be left out altogether. */
export const flags = <const N extends string>(...names: readonly N[]) =>
  z
    .strictObject(
      Object.fromEntries(names.map((name) => [name, z.boolean().default(false)])) as Record<
        N,
        z.ZodDefault<z.ZodBoolean>
      >,
    )
    .prefault({} as never);
