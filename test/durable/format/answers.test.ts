import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Note } from '../../../src/core/model/note.js'
import { FrameNotes } from '../../../src/durable/format/answers.js'
import { FRAME_HAS_NOTES } from '../../../src/durable/format/format.js'
import { NewerFormatError } from '../../../src/durable/format/newer-format.js'
import { decodeNotes } from '../../../src/durable/format/notes.js'
import { ByteReader, MalformedBytesError } from '../../../src/values/bytes/byte-reader.js'

const client = '0011223344556677'
const EXAMPLE: Note[] = [
  { type: 'answered', client, number: 6, received: 5, answer: true },
  { type: 'answered', client, number: 7, received: 5, answer: 300 },
  { type: 'forgotten', client },
]

async function documented(): Promise<Buffer> {
  const document = await readFile(join('docs', 'format.md'), 'utf8')
  const [, section = ''] = document.split('### Answers of clients')
  const rows = [...(section.split('### ')[0]?.matchAll(/^0[345] (?:[0-9a-f]{2} ?)+(?= )/gm) ?? [])]
  return Buffer.from(rows.join('').replaceAll(' ', ''), 'hex')
}

const decode = (bytes: Buffer) => decodeNotes(new ByteReader(bytes, 0, bytes.length), FRAME_HAS_NOTES).clients

test('notes of clients are written as docs/format.md shows them, and read back', async (t) => {
  const notes = new FrameNotes()
  for (const note of EXAMPLE) {
    notes.prepare(note)
    notes.add(note)
  }
  t.is(Buffer.from(notes.bytes).toString('hex'), (await documented()).toString('hex'))
  t.deepEqual(decode(await documented()), EXAMPLE)
})

test('an answer that belongs to no client, or does not end with its note, is corruption', (t) => {
  const of = (text: string) => () => decode(Buffer.from(text.replaceAll(' ', ''), 'hex'))
  const head = '03 10 00 11 22 33 44 55 66 77 05 00 00 00 00 00 00 00'
  for (const bad of [
    '04 02 01 02',
    `${head} 04 03 01 02`,
    `${head} 04 03 01 02 00`,
    `${head} 04 01 01 02`,
    '03 02 00 11',
    '05 01 00',
  ])
    t.throws(of(bad), { instanceOf: MalformedBytesError }, bad)
  t.throws(of(`${head} 04 02 01 21`), { instanceOf: NewerFormatError })
  t.throws(of(`03 10 00 11 22 33 44 55 66 77 ff ff ff ff ff ff ff ff`), { instanceOf: MalformedBytesError })
})
