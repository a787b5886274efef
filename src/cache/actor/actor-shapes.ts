/**
 * The types of XState that the public declarations need. Their shapes are XState's own, so a cache's logic and actor are
 * XState's to a program that uses XState, but they come from 'xstate/actors': the declarations of 'xstate' as a whole do not
 * compile under `exactOptionalPropertyTypes` without `skipLibCheck`.
 */
import type { createEmptyActor, TransitionActorLogic } from 'xstate/actors'

type EmptyActor = ReturnType<typeof createEmptyActor>

export type ActorSystem = EmptyActor['system']

/** XState's inspector. */
export type Inspector = Parameters<ActorSystem['inspect']>[0]

export type EmptySnapshot = ReturnType<EmptyActor['getSnapshot']>

export interface EventObject {
  type: string
}

/** Any actor, as far as it can be sent to. */
export interface Receiver {
  send: (event: never) => void
}

interface Observer<T> {
  next?: (value: T) => void
  error?: (error: unknown) => void
  complete?: () => void
}

interface Readable<T> extends Subscribable<T> {
  get: () => T
}

interface Subscribable<T> {
  subscribe(observer: Observer<T>): Subscription
  subscribe(next: (value: T) => void, error?: (error: unknown) => void, complete?: () => void): Subscription
}

type Subscription = ReturnType<EmptyActor['subscribe']>

type Kept = 'id' | 'sessionId' | 'start' | 'stop' | 'getPersistedSnapshot' | 'toJSON' | '_parent' | 'system' | 'src'

/** XState's `ActorRef`. */
export interface ActorRef<TSnapshot, TEvent extends EventObject, TEmitted extends EventObject>
  extends Pick<EmptyActor, Kept>,
    Subscribable<TSnapshot> {
  send: (event: TEvent) => void
  getSnapshot: () => TSnapshot
  [Symbol.observable]: () => { subscribe(observer: Observer<TSnapshot>): Subscription }
  on: <T extends TEmitted['type'] | '*'>(
    type: T,
    handler: (emitted: TEmitted & (T extends '*' ? unknown : { type: T })) => void,
  ) => Subscription
  select<T>(selector: (snapshot: TSnapshot) => T, isEqual?: (a: T, b: T) => boolean): Readable<T>
}

type AnyScope = Parameters<TransitionActorLogic<unknown, EventObject, undefined>['transition']>[2]

interface ActorScope<TSnapshot, TEvent extends EventObject, TEmitted extends EventObject>
  extends Omit<AnyScope, 'self' | 'emit'> {
  self: ActorRef<TSnapshot, TEvent, TEmitted>
  emit: (event: TEmitted) => void
}

type PersistedSnapshot = ReturnType<EmptyActor['getPersistedSnapshot']>

/** XState's `ActorLogic`, of logic that takes no input. */
export interface ActorLogic<TSnapshot, TEvent extends EventObject, TEmitted extends EventObject> {
  transition: (snapshot: TSnapshot, event: TEvent, scope: ActorScope<TSnapshot, TEvent, TEmitted>) => TSnapshot
  getInitialSnapshot: (scope: ActorScope<TSnapshot, TEvent, TEmitted>, input: undefined) => TSnapshot
  restoreSnapshot?: (persisted: PersistedSnapshot, scope: ActorScope<TSnapshot, TEvent, TEmitted>) => TSnapshot
  start?: (snapshot: TSnapshot, scope: ActorScope<TSnapshot, TEvent, TEmitted>) => void
  getPersistedSnapshot: (snapshot: TSnapshot, options?: unknown) => PersistedSnapshot
}
