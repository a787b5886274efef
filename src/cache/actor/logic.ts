/**
 * The cache as an XState actor: a message in, one turn, a reply out. Before: `actor.send()`. After: `execute.ts`, which calls
 * the method that the message is named after.
 *
 * The logic is custom and always returns the same snapshot object; the state is in columns behind it. A refusal is a reply,
 * never a throw, because XState stops an actor whose transition throws. A closed cache stays an active actor, because XState
 * silently drops what is sent to a stopped one.
 */
import { mustBe } from '../../errors.js'
import type { ActorLogic, EmptySnapshot, EventObject, Receiver } from './actor-shapes.js'

/** What the logic runs: a new one for each actor. */
export interface CacheInstance {
  readonly directory: string | undefined
  /** Recovers. Messages wait until it resolves; `undefined` if the cache is already open. */
  open(): Promise<void> | undefined
  /** Executes a message. Throws, or returns a promise that rejects, if it is refused. */
  execute(message: EventObject): unknown
  /** Runs the task when no turn is open. */
  whenIdle(task: () => void): void
  close(): Promise<void>
}

/** The actor's snapshot. It does not contain the entries. */
export interface CacheSnapshot {
  status: 'active' | 'error'
  output: undefined
  error: unknown
  /** The directory of the journal, if it has one. */
  directory: string | undefined
  /** Whether recovery is done. Messages that are sent earlier wait for it. */
  isOpen: boolean
}

type Message = EventObject & { replyTo?: Receiver; id?: unknown }

/** Emitted when a refusal has no `replyTo`, or when a reply cannot be delivered. */
export interface Refused {
  type: 'refused'
  message: EventObject
  error: unknown
}

/** The actor logic that `cacheLogic()` returns, to invoke or spawn from another machine. */
export type CacheLogic<TMessage extends EventObject = Message> = ActorLogic<
  CacheSnapshot & EmptySnapshot,
  TMessage,
  Refused
>

const OPENED = 'daybook.opened'
const FAILED = 'daybook.failed'
const XSTATE_STOP = 'xstate.stop'

/** Kept outside the snapshot, because it cannot be persisted. */
interface Internals {
  instance: CacheInstance
  waiting: Message[]
}

export function createLogic(create: () => CacheInstance): CacheLogic {
  const internals = new WeakMap<object, Internals>()

  const initial = () => {
    const instance = create()
    const snapshot: CacheSnapshot = {
      status: 'active',
      output: undefined,
      error: undefined,
      directory: instance.directory,
      isOpen: false,
    }
    internals.set(snapshot, { instance, waiting: [] })
    return snapshot as CacheSnapshot & EmptySnapshot
  }

  return {
    getInitialSnapshot: initial,
    restoreSnapshot: initial, // the data is in the directory
    getPersistedSnapshot: ({ status, output, error, directory }) =>
      ({ status, output, error, directory }) as EmptySnapshot,

    start(snapshot, { self }) {
      const { instance } = internals.get(snapshot) as Internals // set with the snapshot
      const opening = instance.open()
      if (opening === undefined) snapshot.isOpen = true
      opening?.then(
        () => self.send({ type: OPENED }),
        (error: unknown) => self.send({ type: FAILED, error } as Message),
      )
    },

    transition(snapshot, message, { emit }) {
      const found = internals.get(snapshot)
      if (found === undefined) return snapshot // it failed to open
      const { instance, waiting } = found
      const handle = (sent: Message) => instance.whenIdle(() => reply(instance, sent, emit))
      switch (message.type) {
        case OPENED:
          snapshot.isOpen = true
          for (const sent of waiting.splice(0)) handle(sent)
          return snapshot
        case FAILED: {
          for (const sent of waiting.splice(0)) handle(sent)
          const { error } = message as { error?: unknown }
          return { ...snapshot, status: 'error', error } as typeof snapshot
        }
        case XSTATE_STOP:
          instance.whenIdle(() => {
            instance.close().catch((error: unknown) => emit({ type: 'refused', message, error }))
          })
          return snapshot
        default:
          if (snapshot.isOpen) handle(message)
          else waiting.push(message)
          return snapshot
      }
    },
  }
}

/** Executes a message and replies. Emits a refusal if there is no `replyTo`. Never throws: XState would stop the actor. */
function reply(instance: CacheInstance, message: Message, emit: (event: Refused) => void): void {
  const { replyTo } = message
  const id = message.id === undefined ? {} : { id: message.id }
  const refuse = (error: unknown) => {
    if (replyTo === undefined) emit({ type: 'refused', message, error })
    else deliver({ type: 'reply', ok: false, error, ...id })
  }
  const deliver = (reply: { type: 'reply'; ok: boolean; value?: unknown; error?: unknown; id?: unknown }) => {
    try {
      replyTo?.send(reply as never)
    } catch (error) {
      emit({ type: 'refused', message, error })
    }
  }
  if (replyTo !== undefined && typeof (replyTo as typeof replyTo | null)?.send !== 'function') {
    const error = new TypeError(mustBe('replyTo', 'an actor', replyTo))
    emit({ type: 'refused', message, error })
    return
  }
  let value: unknown
  try {
    value = instance.execute(message)
  } catch (error) {
    refuse(error)
    return
  }
  const accept = (result: unknown) => deliver({ type: 'reply', ok: true, value: result, ...id })
  if (value instanceof Promise) value.then(accept, refuse)
  else accept(value)
}
