/** What arrives at the socket of an owner that no client of ours sends, and clients that behave badly. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import test from 'ava'
import { socketOf } from '../../../../src/durable/storage/owner-file.js'
import { clientGreeting } from '../../../../src/edges/processes/greeting.js'
import { encodeFrame, jsonFrame } from '../../../../src/edges/remote/line/frames.js'
import { OP } from '../../../../src/edges/remote/wire/codes.js'
import { type SharedPlace, sharedPlace } from '../../../helpers/edges/shared.js'

async function connected({ directory }: SharedPlace): Promise<Socket> {
  const socket = createConnection(socketOf(directory) as string)
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  return socket
}

const framed = (bytes: Buffer) => {
  const header = Buffer.alloc(4)
  header.writeUInt32LE(bytes.length)
  return Buffer.concat([header, bytes])
}
const greeting = jsonFrame(clientGreeting('0123456789abcdef'))
const header = (bytes: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(bytes)
  return buffer
}

const GARBAGE: Record<string, Buffer> = {
  'a request of another protocol': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  'a greeting that is too large': header(10_000_000),
  'a greeting of another protocol': jsonFrame({ ...clientGreeting('0123456789abcdef'), protocol: 1 }),
  'a greeting without an id': jsonFrame({ ...clientGreeting('0123456789abcdef'), client: '../../etc' }),
  'a message that is too large': Buffer.concat([greeting, header(256 * 1024 * 1024 + 1)]),
  'bytes that are no message': Buffer.concat([greeting, framed(Buffer.from([0xff, 0x0f, 1, 2, 3]))]),
  'a message that is no batch': Buffer.concat([greeting, encodeFrame('hello')]),
  'a batch without a number': Buffer.concat([greeting, encodeFrame([[1, OP.get, 'a']])]),
  'an unknown operation': Buffer.concat([greeting, encodeFrame([0, [1, 999]])]),
  'a number of answers that it cannot have': Buffer.concat([greeting, encodeFrame([-1, [1, OP.get, 'a']])]),
}

for (const [what, bytes] of Object.entries(GARBAGE)) {
  test(`${what} closes that connection and nothing else`, async (t) => {
    const place = sharedPlace(t)
    await place.join({ owner: 'prefer' })
    const client = await place.join({ owner: 'never' })
    const socket = await connected(place)
    socket.resume()
    const closed = once(socket, 'close')
    socket.write(bytes)
    await closed
    t.is(await client.increment('n'), 1)
  })
}

test('a command beyond the window, or one whose answer was said to have arrived, is refused', async (t) => {
  const place = sharedPlace(t)
  await place.join({ owner: 'prefer' })
  const client = await place.join({ owner: 'never' })
  const socket = await connected(place)
  const answers: Buffer[] = []
  socket.on('data', (chunk) => answers.push(chunk))
  socket.write(
    Buffer.concat([greeting, encodeFrame([0, [5_000, OP.add, 'n', 1]]), encodeFrame([9, [9, OP.add, 'n', 1]])]),
  )
  socket.write(encodeFrame([9, [10, OP.get, 'n']]))
  while (!Buffer.concat(answers).includes('Command 9 ')) await once(socket, 'data')
  t.true(Buffer.concat(answers).includes('Command 5000 '))
  t.is(await client.get('n'), undefined)
  socket.destroy()
})

test('the same command asked again gets the same answer, over any number of connections', async (t) => {
  const place = sharedPlace(t)
  await place.join({ owner: 'prefer' })
  const client = await place.join({ owner: 'never' })
  for (let count = 0; count < 3; count++) {
    const socket = await connected(place)
    socket.write(Buffer.concat([greeting, encodeFrame([0, [1, OP.add, 'n', 1]])]))
    const expected = encodeFrame([[0, 1, 1]])
    let got = Buffer.alloc(0)
    while (!got.includes(expected)) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      got = Buffer.concat([got, chunk])
    }
    socket.destroy()
  }
  t.is(await client.get('n'), 1)
})

test('a client that never reads is not read from either, and the others are served', async (t) => {
  const place = sharedPlace(t)
  await place.join({ owner: 'prefer' })
  const client = await place.join({ owner: 'never' })
  await client.set('large', 'x'.repeat(100_000))
  const socket = await connected(place)
  socket.pause()
  socket.write(greeting)
  for (let id = 1; id <= 20_000; id++) socket.write(encodeFrame([0, [id, OP.get, 'large']]))
  for (let count = 1; count <= 100; count++) t.is(await client.increment('n'), count)
  t.true(socket.writableLength > 0) // what the owner does not read waits here
  socket.destroy()
  t.is(await client.get('n'), 100)
})

test('an answer that is too large to be sent is an error of that call, and the client goes on', async (t) => {
  const place = sharedPlace(t)
  await place.join({ owner: 'prefer', maxSize: 100 })
  const client = await place.join({ owner: 'never' })
  for (let count = 0; count < 5; count++) await client.set(`large ${count}`, new Uint8Array(60 * 1024 * 1024))
  await t.throwsAsync(client.entries(), { message: /cannot be sent/ })
  t.is(await client.size, 5)
})

test('two hundred clients', async (t) => {
  const { join } = sharedPlace(t)
  await join({ owner: 'prefer' })
  const clients = await Promise.all(Array.from({ length: 200 }, () => join({ owner: 'never' })))
  await Promise.all(clients.map((client) => client.increment('n')))
  t.is(await clients[0]?.get('n'), 200)
})
