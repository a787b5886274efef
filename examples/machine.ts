/**
 * A machine of your own that invokes the cache: it sends commands with `replyTo` and goes where the replies take it. What is
 * sent while the cache recovers waits for it. Run it twice: `node dist/examples/machine.js`.
 */
import { type CacheReply, cacheLogic } from 'daybook'
import { assign, createActor, sendTo, setup, waitFor } from 'xstate'

interface Visitor {
  name: string
  visits: number
}

const machine = setup({
  types: {
    context: {} as { visitor: Visitor | undefined; error: unknown },
    events: {} as CacheReply,
  },
  actors: { cache: cacheLogic({ directory: 'journal' }) },
  guards: {
    wasRefused: ({ event }) => !event.ok,
    isUnknown: ({ event }) => event.ok && event.value === undefined,
  },
  actions: {
    keepVisitor: assign({ visitor: ({ event }) => (event.ok ? (event.value as Visitor) : undefined) }),
    keepError: assign({ error: ({ event }) => (event.ok ? undefined : event.error) }),
  },
}).createMachine({
  context: { visitor: undefined, error: undefined },
  invoke: {
    src: 'cache',
    id: 'cache',
    onError: { target: '.failed', actions: assign({ error: ({ event }) => event.error }) },
  },
  initial: 'asking',
  states: {
    asking: {
      entry: sendTo('cache', ({ self }) => ({ type: 'get', key: 'visitor', replyTo: self })),
      on: {
        reply: [
          { guard: 'wasRefused', target: 'failed', actions: 'keepError' },
          { guard: 'isUnknown', target: 'welcoming' },
          { target: 'counting', actions: 'keepVisitor' },
        ],
      },
    },
    welcoming: {
      entry: [
        () => console.log('nobody has been here yet'),
        sendTo('cache', ({ self }) => ({
          type: 'set',
          key: 'visitor',
          value: { name: 'Ada', visits: 0 },
          ttl: '30d',
          replyTo: self,
        })),
      ],
      on: { reply: [{ guard: 'wasRefused', target: 'failed', actions: 'keepError' }, { target: 'asking' }] },
    },
    counting: {
      entry: sendTo('cache', ({ self, context: { visitor } }) => ({
        type: 'set',
        key: 'visitor',
        value: { ...visitor, visits: (visitor?.visits ?? 0) + 1 },
        replyTo: self,
      })),
      on: { reply: [{ guard: 'wasRefused', target: 'failed', actions: 'keepError' }, { target: 'closing' }] },
    },
    closing: {
      // Stopping the machine would close the cache as well; the reply says when that is done.
      entry: sendTo('cache', ({ self }) => ({ type: 'close', replyTo: self })),
      on: { reply: [{ guard: 'wasRefused', target: 'failed', actions: 'keepError' }, { target: 'done' }] },
    },
    done: { type: 'final' },
    failed: { type: 'final' },
  },
})

const actor = createActor(machine).start()
const { value, context } = await waitFor(actor, ({ status }) => status === 'done')
if (value === 'failed') throw context.error
console.log(`${context.visitor?.name} has been here ${context.visitor?.visits} times before`)
