/** Servers are killed and stopped while records are appended and followed: what was acknowledged is there, once, at its position. */
import test from 'ava'
import type { Log, Position } from '../../../../src/edges/cluster/log.js'
import { nats } from '../../../../src/nats.js'
import { Collected, record, until } from '../../../../src/testing/conformance/log-nodes.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

/** Appends one record after the other; after an error it looks where the end is. */
class Writer {
  readonly acknowledged = new Map<Position, string>()
  #last = 0
  #count = 0
  #isStopped = false
  readonly #done: Promise<void>

  constructor(readonly log: Log) {
    this.#done = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const content = `${this.#count++}`
      try {
        this.#last = await this.log.append(record(content), this.#last)
        this.acknowledged.set(this.#last, content)
      } catch {
        // The record may be in the log, or come: the next one expects what is there now.
        const end = await this.log.open().catch(() => undefined)
        this.#last = end?.last ?? this.#last
      }
    }
  }

  stop(): Promise<void> {
    this.#isStopped = true
    return this.#done
  }
}

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  const faults = [
    ['leads the stream', 'SIGKILL'],
    ['hosts the consumer', 'SIGKILL'],
    ['the follower is connected to', 'SIGSTOP'],
  ] as const
  for (const [victim, signal] of faults) {
    test.serial(`the server that ${victim}: ${signal}`, async (t) => {
      const servers = await NatsServers.start(3)
      t.teardown(() => servers.end())
      const name = 'x'
      const engine = nats({ servers: servers.urls, replicas: 3 })
      const [writing, reading] = [engine(name, 'w'), nats({ servers: servers.urls[1]!, replicas: 3 })(name, 'r')]
      await writing.open()
      await reading.open()
      const seen = new Collected()
      const following = reading.follow(1, seen)
      const writer = new Writer(writing)
      await until(() => (seen.last ?? 0) > 50, 'records')
      const stream = `daybook-${name}`
      const [host] = await servers.consumerHosts(stream)
      const hit =
        { 'leads the stream': await servers.leaderOf(stream), 'hosts the consumer': host }[victim as string] ?? 1
      if (signal === 'SIGKILL') await servers.kill(hit)
      else servers.pause(hit)
      const { size } = writer.acknowledged
      await until(() => writer.acknowledged.size > size + 100, 'acknowledgements after the fault')
      await until(() => (seen.last ?? 0) > size + 100, 'records after the fault')
      await writer.stop()
      const last = Math.max(...writer.acknowledged.keys())
      await until(() => (seen.last ?? 0) >= last, 'the last record')
      following.stop()
      await writing.close()
      await reading.close()
      t.deepEqual(
        seen.positions(),
        Array.from({ length: seen.records.length }, (_, index) => index + 1),
      )
      const contents = seen.bodies()
      for (const [position, content] of writer.acknowledged) t.is(contents[position - 1], content)
      t.is(new Set(contents).size, contents.length)
      t.is(seen.gaps, 0)
    })
  }

  test.serial(
    'a node that has left a stopped server gets every message, although the others do not know yet',
    async (t) => {
      const servers = await NatsServers.start(3)
      t.teardown(() => servers.end())
      const [first, second, third] = servers.urls as [string, string, string]
      const asking = nats({ servers: first, replicas: 3 })('x', 'asking')
      const moving = nats({ servers: [second, third], noRandomize: true, replicas: 3 })('x', 'moving')
      t.teardown(() => Promise.all([asking.close(), moving.close()]))
      await asking.open()
      await moving.open()
      let arrived = 0
      moving.wire.serve('it', async (body) => {
        arrived++
        return body
      })
      const isAnswered = () =>
        asking.wire.request('it', Uint8Array.of(1)).then(
          () => true,
          () => false,
        )
      while (!(await isAnswered()));
      servers.pause(1)
      while (!(await isAnswered()));
      arrived = 0
      const answered = await Promise.all(Array.from({ length: 50 }, isAnswered))
      servers.resume(1)
      t.deepEqual(answered, Array(50).fill(true))
      t.is(arrived, 50)
    },
  )
}
