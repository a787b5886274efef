/** What a worker of the pool runs: counts the words of a text, unless another worker has already done so. */
import { setTimeout as wait } from 'node:timers/promises'
import { type MessagePort, threadId } from 'node:worker_threads'
import { connect, type RemoteCache } from 'daybook/threads'

export interface Task {
  text: string
  port: MessagePort
}

export interface Answer {
  thread: number
  isLoaded: boolean
}

let client: Promise<RemoteCache> | undefined

export default async function countWords({ text, port }: Task): Promise<Answer> {
  if (client === undefined) client = connect(port)
  else port.close()
  const cache = await client
  let isLoaded = false
  // One worker counts; others that want the same text wait for it. Its writes are one transaction.
  await cache.getOrSet(`counted:${text}`, async () => {
    isLoaded = true
    await wait(50) // real work would take time, too
    await cache.transact(text.split(' ').map((word) => ({ type: 'increment', key: `word:${word}` })))
    return true
  })
  await cache.increment('tasks')
  return { thread: threadId, isLoaded }
}
