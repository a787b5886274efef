/**
 * A state machine that invokes the cache: it sends commands with `replyTo`, and the replies drive its transitions. Commands sent
 * while the cache is recovering wait for it. Run it twice: `node dist/examples/machine.js`.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CacheReply, cacheLogic } from 'daybook'
import { assign, createActor, sendTo, setup, waitFor } from 'xstate'

interface Visitor {
  name: string
  visits: number
}

const directory = join(tmpdir(), 'daybook-machine') // only this example uses it
console.log(`journal: ${directory}`)

const machine = setup({
  types: {
    context: {} as { visitor: Visitor | undefined; error: unknown },
    events: {} as CacheReply,
  },
  actors: { cache: cacheLogic({ directory }) },
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
        () => console.log('no visitor yet'),
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
      // Stopping the machine would close the cache too; the reply says when it is closed.
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
console.log(`${context.visitor?.name}, visits before this one: ${context.visitor?.visits}`)
