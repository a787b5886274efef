/**
 * The cache as an XState actor: a message in, one turn, a reply out. Second of five on the path of a message that was sent
 * (a method call takes the short cut and enters at `turns.ts`). Before: whoever sends. After: `decide/`.
 *
 * The logic is custom and returns the same snapshot object each time: the state lives in columns behind it. Refusals are
 * replies, never throws, because XState stops an actor whose transition throws; and a closed cache stays an active actor,
 * because XState drops what is sent to a stopped one without a word.
 */
import type { ActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate'
import { describe } from '../../errors.js'

/** What the logic runs: made anew for each actor. */
export interface CacheInstance {
  readonly directory: string | undefined
  /** Recovers; until it resolves, messages wait. */
  open(): Promise<void>
  /** Does what the message asks; throws or rejects for a refusal. */
  answer(message: EventObject): unknown
  /** Runs the task when no turn is open. */
  whenIdle(task: () => void): void
  close(): Promise<void>
}

/** What the actor shows of itself. The entries are not in it. */
export interface CacheSnapshot {
  status: 'active' | 'error'
  output: undefined
  error: unknown
  /** Where the journal lies; `undefined` for one that is not in a directory. */
  directory: string | undefined
  /** Whether recovery is done; messages sent before that wait for it. */
  isOpen: boolean
}

type Message = EventObject & { replyTo?: Pick<AnyActorRef, 'send'>; id?: unknown }

/** Emitted for what nobody is answered: a refusal without a `replyTo`, or a `replyTo` that takes no answer. */
export interface Refused {
  type: 'refused'
  message: EventObject
  error: unknown
}

/** The actor logic that `cacheLogic()` gives: to invoke or spawn from a machine of yours. */
export type CacheLogic<TMessage extends EventObject = Message> = ActorLogic<
  CacheSnapshot & Snapshot<undefined>,
  TMessage,
  undefined,
  AnyActorRef['system'],
  Refused
>

const OPENED = 'daybook.opened'
const FAILED = 'daybook.failed'
const XSTATE_STOP = 'xstate.stop'

/** What must not be in the snapshot, because it cannot be persisted. */
interface Behind {
  instance: CacheInstance
  waiting: Message[]
}

export function createLogic(create: () => CacheInstance): CacheLogic {
  const behind = new WeakMap<object, Behind>()

  const initial = () => {
    const instance = create()
    const snapshot: CacheSnapshot = {
      status: 'active',
      output: undefined,
      error: undefined,
      directory: instance.directory,
      isOpen: false,
    }
    behind.set(snapshot, { instance, waiting: [] })
    return snapshot as CacheSnapshot & Snapshot<undefined>
  }

  return {
    getInitialSnapshot: initial,
    restoreSnapshot: initial, // the data is in the directory
    getPersistedSnapshot: ({ status, output, error, directory }) =>
      ({ status, output, error, directory }) as Snapshot<unknown>,

    start(snapshot, { self }) {
      const { instance } = behind.get(snapshot) as Behind // made with the snapshot
      instance.open().then(
        () => self.send({ type: OPENED }),
        (error: unknown) => self.send({ type: FAILED, error } as Message),
      )
    },

    transition(snapshot, message, { emit }) {
      const found = behind.get(snapshot)
      if (found === undefined) return snapshot // it failed to open
      const { instance, waiting } = found
      const handle = (asked: Message) => instance.whenIdle(() => reply(instance, asked, emit))
      switch (message.type) {
        case OPENED:
          snapshot.isOpen = true
          for (const asked of waiting.splice(0)) handle(asked)
          return snapshot
        case FAILED: {
          for (const asked of waiting.splice(0)) handle(asked)
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

/** Answers a message. A refusal that has no `replyTo` to go to is emitted. Never throws: XState would stop the actor. */
function reply(instance: CacheInstance, message: Message, emit: (event: Refused) => void): void {
  const { replyTo } = message
  const id = message.id === undefined ? {} : { id: message.id }
  const refuse = (error: unknown) => {
    if (replyTo === undefined) emit({ type: 'refused', message, error })
    else deliver({ type: 'reply', ok: false, error, ...id })
  }
  const deliver = (answer: { type: 'reply'; ok: boolean; value?: unknown; error?: unknown; id?: unknown }) => {
    try {
      replyTo?.send(answer)
    } catch (error) {
      emit({ type: 'refused', message, error })
    }
  }
  if (replyTo !== undefined && typeof (replyTo as typeof replyTo | null)?.send !== 'function') {
    const error = new TypeError(`replyTo must be an actor; ${describe(replyTo)} is not. Nothing was changed.`)
    emit({ type: 'refused', message, error })
    return
  }
  let value: unknown
  try {
    value = instance.answer(message)
  } catch (error) {
    refuse(error)
    return
  }
  const accept = (answer: unknown) => deliver({ type: 'reply', ok: true, value: answer, ...id })
  if (value instanceof Promise) value.then(accept, refuse)
  else accept(value)
}
