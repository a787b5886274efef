/** The bytes of values, as they were written once: they are read from then on, and what V8 has no part in is written the same. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import type { SetEvent } from '../../src/core/model/event.js'
import { decodeEvent } from '../../src/durable/format/decode-event.js'
import { ByteReader } from '../../src/values/bytes/byte-reader.js'
import { restoreValue } from '../../src/values/encode.js'
import { goldenBytes, goldenValues, WRITTEN_BY_V8 } from '../helpers/values/golden.js'
import { picture } from '../helpers/values/picture.js'

const GOLDEN = JSON.parse(readFileSync('test/values/golden-values.json', 'utf8')) as Record<
  keyof ReturnType<typeof goldenValues>,
  string
>

for (const [name, value] of Object.entries(goldenValues())) {
  test(`${name}: the golden bytes are read`, (t) => {
    const bytes = Buffer.from(GOLDEN[name] as string, 'hex')
    const event = decodeEvent(new ByteReader(bytes, 0, bytes.length)) as SetEvent
    const found = restoreValue(event.value, 'copy')
    t.deepEqual(found, value as never)
    if (name !== 'error') t.is(picture(found), picture(value))
    else {
      const { error } = found as { error: TypeError & { code: string; cause: AggregateError } }
      const { error: expected } = value as { error: TypeError & { code: string; cause: AggregateError } }
      t.deepEqual([error.name, error.code, error.stack], ['OwnError', 'E_CODE', expected.stack])
      t.deepEqual([error.cause.errors, error.cause.stack], [[1, 'two'], expected.cause.stack])
    }
  })

  if (!WRITTEN_BY_V8.includes(name))
    test(`${name}: the golden bytes are written`, (t) => t.is(goldenBytes(value), GOLDEN[name] as string))
}
