/** What a worker of the pool does: counts the words of a text, unless another worker has done so already. */
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
  // One worker counts; whoever asks for the same text meanwhile waits for it. That worker's writes are one transaction.
  await cache.getOrSet(`counted:${text}`, async () => {
    isLoaded = true
    await wait(50) // real work would take long, too
    await cache.transact(text.split(' ').map((word) => ({ type: 'increment', key: `word:${word}` })))
    return true
  })
  await cache.increment('tasks')
  return { thread: threadId, isLoaded }
}
