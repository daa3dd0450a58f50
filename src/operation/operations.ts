/** Operations as commands use them: begin one, go on with one, go back over one, free what one has set aside. */
import type { Clock } from "../context.ts";
import { mapLimited } from "../model/concurrency.ts";
import { Failure, isFailure, messageOf } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import type { JournalStore } from "../systems/journal/port.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { readEntries } from "./entry.ts";
import { forgettable } from "./forgetting.ts";
import { planSettle, planUndo } from "./going-back.ts";
import { defaultLockTimes, Locks, type LockTimes } from "./locks.ts";
import { type OperationEvent, runOperation } from "./run.ts";
import { Session } from "./session.ts";
import { byOrder, hasNoWayBack, isUnfinished, type OperationState, stateOf, withFollowers } from "./state.ts";
import type { StepKinds } from "./step-kind.ts";

export interface OperationsOptions {
  readonly journal: JournalStore;
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly randomId: (length: number) => string;
  /** Namespace of the locks. */
  readonly namespace: string;
  /** Shown to whoever is kept out: "laptop, pid 4711". */
  readonly who: string;
  /** ms that what is set aside stays. */
  readonly undoFor: number;
  /** ms that an operation is remembered when it is over. */
  readonly rememberFor: number;
  /** All kinds of steps; what they write asks `demand` first, which throws when the lock is lost. */
  readonly kinds: (demand: () => void) => StepKinds;
  readonly onEvent: (event: OperationEvent) => void;
  readonly signal: AbortSignal;
  readonly lockTimes?: LockTimes;
}

export interface OperationList {
  readonly operations: readonly OperationState[];
  /** One JOURNAL_UNREADABLE for each journal that cannot be read. */
  readonly unreadable: readonly Failure[];
}

const readersAtATime = 8;
/** So that no operation waits long for it. */
const forgottenAtATime = 20;

export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** An id for a new operation: "20261125t1530-ab12cd". Its time is for people; what orders operations is their journals. */
  newId(): string {
    const time = new Date(this.#options.clock.now()).toISOString();
    return `${time.slice(0, 16).replaceAll(/[-:]/g, "").toLowerCase()}-${this.#options.randomId(6)}`;
  }

  /** One operation. Throws OPERATION_UNKNOWN, JOURNAL_UNREADABLE. Cost: as `list`. */
  async read(id: string): Promise<OperationState> {
    const { operations } = await this.list();
    return operations.find((state) => state.id === id) ?? (await this.#readAlone(id));
  }

  /** All, newest first, and what cannot be read. Cost: the entries of all operations, as the journal reads them. */
  async list(): Promise<OperationList> {
    const sizes = await this.#options.journal.sizes();
    const unreadable: Failure[] = [];
    const states = await mapLimited([...sizes], readersAtATime, async ([id, size]) => {
      try {
        return [await this.#readAlone(id, size)];
      } catch (error) {
        if (!isFailure(error, "JOURNAL_UNREADABLE")) throw error;
        unreadable.push(error);
        return [];
      }
    });
    const operations = withFollowers(states.flat());
    return { operations: operations.toSorted((a, b) => byOrder(b, a)), unreadable };
  }

  async #readAlone(id: string, size?: number): Promise<OperationState> {
    return stateOf(id, await readEntries(this.#options.journal, id, size));
  }

  /**
   * Carries a plan out. `id` comes from `newId`; `of` names the operation that this one undoes or settles. Throws
   * OPERATION_UNFINISHED when another one has stopped in the middle on one of the volumes: it must come to an end first.
   */
  start(id: string, plan: Plan, of?: string): Promise<OperationState> {
    return this.#under(id, plan, (locks, run) => this.#begin({ operation: id, run, locks }, plan, of));
  }

  async #begin(
    place: { readonly operation: string; readonly run: string; readonly locks: Locks },
    plan: Plan,
    of?: string,
  ): Promise<OperationState> {
    const earlier = await this.list();
    demandNothingUnfinished(earlier.operations, plan);
    const session = Session.begin({ ...this.#options, ...place });
    const order = 1 + Math.max(0, ...earlier.operations.map((other) => other.order));
    await session.write({ type: "planned", plan, order, ...(of === undefined ? {} : { of }) });
    const state = await this.#run(session);
    await this.#forget(earlier, state);
    return state;
  }

  /**
   * Removes the journals of what is long over, a few with each operation. None while one cannot be read: it may be what
   * another one belongs to. That it fails is told, and tried again with the next operation.
   */
  async #forget({ operations, unreadable }: OperationList, { of }: OperationState): Promise<void> {
    const { clock, rememberFor, journal, onEvent } = this.#options;
    if (unreadable.length > 0) return;
    // What this operation was about is remembered as long as this one.
    const others = operations.map((state) => (state.id === of ? { ...state, lastEntry: clock.now() } : state));
    try {
      for (const id of forgettable(others, clock.now() - rememberFor).slice(0, forgottenAtATime))
        await journal.remove(id);
    } catch (error) {
      onEvent({ type: "detail", text: `old operations are not forgotten: ${messageOf(error)}` });
    }
  }

  /**
   * Plans under the locks, then carries it out: for who acts on what others may be changing this moment. A plan without
   * steps is not begun: undefined. It may hold no locks beyond these. Throws as `start`, and what `plan` throws.
   */
  startFresh(
    id: string,
    wish: { readonly locks: readonly string[]; readonly title: string },
    plan: () => Promise<Plan>,
  ): Promise<OperationState | undefined> {
    return this.#under(id, wish, async (locks, run) => {
      const fresh = await plan();
      return fresh.steps.length === 0 ? undefined : this.#begin({ operation: id, run, locks }, fresh);
    });
  }

  /** Goes on with an unfinished one, in the direction that it had. */
  async resume(id: string): Promise<OperationState> {
    const state = await this.read(id);
    if (!isUnfinished(state)) throw nothingLeft(state);
    return this.#continue(state, (session) => this.#run(session));
  }

  /**
   * Goes back: an unfinished one goes back by itself, one that is done is undone by an operation of its own, whose state
   * comes back. Throws OPERATION_NOT_UNDOABLE, also when it has begun to free what was set aside.
   */
  async undo(id: string): Promise<OperationState> {
    const state = await this.read(id);
    if (!isUnfinished(state)) return this.start(this.newId(), await this.planUndo(state), id);
    return this.#continue(state, async (session) => {
      if (hasNoWayBack(session.state)) throw noWayBack(session.state);
      if (session.state.status === "forward") await session.write({ type: "turned" });
      return this.#run(session);
    });
  }

  /**
   * Ends an unfinished one where it stands, so that its volumes are free: for one that can go neither on nor back. Nothing
   * is done and nothing is taken back; `standingSteps` are what is left.
   */
  async giveUp(id: string): Promise<OperationState> {
    const state = await this.read(id);
    if (!isUnfinished(state)) throw nothingLeft(state);
    return this.#continue(state, async (session) => {
      await session.write({ type: "finished", outcome: "given-up", setAside: [] });
      return session.state;
    });
  }

  /** The plan that `undo` carries out for an operation that is done. */
  async planUndo(state: OperationState): Promise<Plan> {
    const { operations } = await this.list();
    return planUndo(state, operations);
  }

  /** Frees what a done one has set aside; undefined when there is nothing. */
  async settle(id: string): Promise<OperationState | undefined> {
    const state = await this.read(id);
    const plan = this.planSettle(state);
    return plan === undefined ? undefined : this.start(this.newId(), plan, id);
  }

  planSettle(state: OperationState): Plan | undefined {
    return planSettle(
      state,
      this.#options.kinds(() => undefined),
    );
  }

  #run(session: Session): Promise<OperationState> {
    const { kinds, signal, onEvent, undoFor, clock } = this.#options;
    return runOperation(session, {
      kinds: kinds(() => session.locks.demand()),
      signal,
      onEvent,
      undoFor,
      now: () => clock.now(),
    });
  }

  #continue(state: OperationState, work: (session: Session) => Promise<OperationState>): Promise<OperationState> {
    return this.#under(state.id, state.plan, async (locks, run) => {
      const session = await Session.continue({ ...this.#options, operation: state.id, run, locks });
      await session.write({ type: "taken-over" });
      return work(session);
    });
  }

  async #under<R>(
    id: string,
    plan: Pick<Plan, "locks" | "title">,
    work: (locks: Locks, run: string) => Promise<R>,
  ): Promise<R> {
    const { kubernetes, clock, namespace, randomId, who, signal, lockTimes } = this.#options;
    const run = randomId(8);
    const world = { kubernetes, clock, namespace, times: lockTimes ?? defaultLockTimes };
    const holder = { operation: id, run, what: `${plan.title}, on ${who}` };
    const locks = await Locks.acquire(world, plan.locks, holder, signal);
    try {
      return await work(locks, run);
    } finally {
      await locks.release();
    }
  }
}

const demandNothingUnfinished = (operations: readonly OperationState[], plan: Plan): void => {
  const other = operations.find(
    (state) => isUnfinished(state) && state.plan.locks.some((lock) => plan.locks.includes(lock)),
  );
  if (other === undefined) return;
  throw new Failure("OPERATION_UNFINISHED", {
    what: `The operation ${other.id} (${other.plan.title}) has stopped in the middle.`,
    why: "nothing else may begin on its volumes before it has come to an end",
    todo: `\`holdfast resume ${other.id}\` goes on with it, \`holdfast undo ${other.id}\` goes back.`,
  });
};

const noWayBack = (state: OperationState): Failure =>
  new Failure("OPERATION_NOT_UNDOABLE", {
    what: `The operation ${state.id} (${state.plan.title}) cannot be undone any more.`,
    why: "it has begun to free what was set aside",
    todo: `\`holdfast resume ${state.id}\` brings it to its end.`,
  });

const nothingLeft = (state: OperationState): Failure =>
  new Failure("OPERATION_NOT_UNDOABLE", {
    what: `The operation ${state.id} has ended: there is nothing to go on with.`,
    why: `it is ${state.status}`,
    todo: `\`holdfast operations show ${state.id}\` shows what it did.`,
  });
