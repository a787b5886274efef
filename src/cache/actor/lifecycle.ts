/**
 * The lifecycle of a cache as a statechart. Drawn in docs/architecture.md.
 *
 * The chart decides which state the cache is in. The work itself (replaying, writing a snapshot) is done elsewhere and
 * reported to the chart as events.
 */
import { assign, createActor, type SnapshotFrom, setup } from 'xstate'
import type { Clock } from '../../core/model/clock.js'
import type { Inspector } from './actor-shapes.js'

/** The states of `lifecycle$`. `compacting` is `running` while a snapshot is being written. */
export type LifecycleStateName = 'recovering' | 'running' | 'compacting' | 'read-only' | 'draining' | 'closed'

/** What `lifecycle$` emits. */
export interface LifecycleState {
  state: LifecycleStateName
  /** While recovering: bytes. While compacting: entries. */
  done?: number
  total?: number
  /** Why the cache is read-only, could not be opened, or (while running) why the last compaction failed. */
  reason?: string
  /**
   * A failure that no call rejects with: of a load in the background, or of storing what was loaded. The state has not changed; a
   * later subscriber does not get it.
   */
  warning?: Error
}

export type LifecycleEvent =
  | { type: 'progress'; done: number; total: number }
  | { type: 'recovered' }
  | { type: 'failed'; reason: string }
  | { type: 'journal stopped'; reason: string }
  | { type: 'journal resumed' }
  | { type: 'compaction began'; total: number }
  | { type: 'compaction ended'; reason?: string }
  | { type: 'slice removed' }
  | { type: 'cleanup ended' }
  | { type: 'close' }
  /** `reason`: why the journal cannot be written now. */
  | { type: 'stays open'; reason?: string }
  | { type: 'closed' }

interface Context {
  done: number
  total: number
  /** Why the journal cannot be written, or why the cache could not be opened or closed. */
  reason: string | undefined
  /** Why the last compaction failed, if it did. */
  compactionFailure: string | undefined
}

interface LifecycleEffects {
  /** Removes one slice of the expired entries. Returns whether there are more. */
  removeSlice(): boolean
  cleanupIntervalMs: number
}

function createLifecycle(effects: LifecycleEffects) {
  return setup({
    types: { context: {} as Context, events: {} as LifecycleEvent },
    delays: { cleanupInterval: effects.cleanupIntervalMs },
    guards: {
      isCleanupOn: () => effects.cleanupIntervalMs > 0,
      isStopped: ({ event }) => event.type === 'stays open' && event.reason !== undefined,
    },
    actions: {
      removeSlice: ({ self }) => self.send({ type: effects.removeSlice() ? 'slice removed' : 'cleanup ended' }),
      noteProgress: assign(({ event }) => (event.type === 'progress' ? { done: event.done, total: event.total } : {})),
      noteTotal: assign(({ event }) => (event.type === 'compaction began' ? { done: 0, total: event.total } : {})),
      noteReason: assign(({ event }) => ('reason' in event ? { reason: event.reason } : {})),
      forgetReason: assign({ reason: undefined }),
      noteCompaction: assign(({ event }) =>
        event.type === 'compaction ended' ? { compactionFailure: event.reason } : {},
      ),
    },
  }).createMachine({
    id: 'lifecycle',
    context: { done: 0, total: 0, reason: undefined, compactionFailure: undefined },
    initial: 'recovering',
    on: { close: '.draining' },
    states: {
      recovering: {
        on: {
          progress: { actions: 'noteProgress' },
          recovered: 'open',
          failed: { target: 'closed', actions: 'noteReason' },
        },
      },
      open: {
        type: 'parallel',
        states: {
          journal: {
            initial: 'writable',
            states: {
              writable: { on: { 'journal stopped': { target: 'stopped', actions: 'noteReason' } } },
              stopped: {
                id: 'stopped',
                on: {
                  'journal stopped': { actions: 'noteReason' },
                  'journal resumed': { target: 'writable', actions: 'forgetReason' },
                },
              },
            },
          },
          compaction: {
            initial: 'idle',
            states: {
              idle: { on: { 'compaction began': { target: 'writing', actions: 'noteTotal' } } },
              writing: {
                on: {
                  progress: { actions: 'noteProgress' },
                  'compaction ended': { target: 'idle', actions: 'noteCompaction' },
                },
              },
            },
          },
          cleanup: {
            initial: 'waiting',
            states: {
              waiting: { after: { cleanupInterval: { guard: 'isCleanupOn', target: 'slicing' } } },
              // One slice per turn of the event loop, so that no call waits long for the cleanup.
              slicing: { entry: 'removeSlice', on: { 'slice removed': 'pausing', 'cleanup ended': 'waiting' } },
              pausing: { after: { 0: 'slicing' } },
            },
          },
        },
      },
      draining: {
        on: {
          closed: 'closed',
          failed: { target: 'closed', actions: 'noteReason' },
          'stays open': [{ guard: 'isStopped', target: '#stopped', actions: 'noteReason' }, { target: 'open' }],
        },
      },
      closed: { type: 'final' },
    },
  })
}

type LifecycleSnapshot = SnapshotFrom<ReturnType<typeof createLifecycle>>

function toLifecycleState(snapshot: LifecycleSnapshot): LifecycleState {
  const { done, total, reason } = snapshot.context
  const why = reason === undefined ? {} : { reason }
  if (snapshot.matches('recovering')) return { state: 'recovering', done, total }
  if (snapshot.matches('draining')) return { state: 'draining' }
  if (snapshot.matches('closed')) return { state: 'closed', ...why }
  if (snapshot.matches({ open: { journal: 'stopped' } })) return { state: 'read-only', ...why }
  if (snapshot.matches({ open: { compaction: 'writing' } })) return { state: 'compacting', done, total }
  const { compactionFailure } = snapshot.context
  return compactionFailure === undefined ? { state: 'running' } : { state: 'running', reason: compactionFailure }
}

/** The running chart. */
export interface Lifecycle {
  readonly state: LifecycleState
  send(event: LifecycleEvent): void
  /** Calls the listeners with a failure and the state as it is. */
  warn(warning: Error): void
  /** Calls `listener` after every transition, and with every warning. */
  subscribe(listener: (state: LifecycleState) => void): void
}

export function startLifecycle(
  effects: LifecycleEffects,
  { clock, inspect }: { clock: Clock; inspect: Inspector | undefined },
): Lifecycle {
  const actor = createActor(createLifecycle(effects), {
    clock: clock as never,
    ...(inspect === undefined ? {} : { inspect }),
  })
  actor.start()
  const listeners: ((state: LifecycleState) => void)[] = []
  return {
    get state() {
      return toLifecycleState(actor.getSnapshot())
    },
    send: (event) => actor.send(event),
    warn(warning) {
      for (const listener of listeners) listener({ ...this.state, warning })
    },
    subscribe(listener) {
      listeners.push(listener)
      actor.subscribe({ next: (snapshot) => listener(toLifecycleState(snapshot)) })
    },
  }
}
