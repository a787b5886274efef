/** The table of errors: complete, used, and the same as the page that is generated from it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import glob from 'fast-glob'
import { CacheError, CorruptionError, ERRORS, ValueError } from '../src/errors.js'
import { ERRORS_PAGE, errorsPage } from './helpers/errors-page.js'

type Code = keyof typeof ERRORS
const CODES = Object.keys(ERRORS) as Code[]

/** Classes whose code is always the same. */
const CODE_OF_CLASS: Readonly<Record<string, Code>> = {
  ValueError: 'INVALID_VALUE',
  CacheClosedError: 'CACHE_CLOSED',
  CacheLockedError: 'CACHE_LOCKED',
  CorruptionError: 'CORRUPTION',
  NotLeaderError: 'NOT_LEADER',
}

const DIRECTORY = fileURLToPath(new URL('../../src/', import.meta.url)) // from dist/test
const sources = glob
  .sync('**/*.ts', { cwd: DIRECTORY, ignore: ['errors.ts'] })
  .map((file) => ({ file, text: readFileSync(`${DIRECTORY}${file}`, 'utf8') }))

interface Raised {
  file: string
  name: string
  code: string
}

/** Every `new …Error(` in src/, with the codes that it names. */
const raised: Raised[] = sources.flatMap(({ file, text }) => {
  return [...text.matchAll(/new (\w+Error)\(\s*([^,`]*)/g)].flatMap(([, name = '', argument = '']): Raised[] => {
    const fixed = CODE_OF_CLASS[name]
    if (fixed !== undefined) return [{ file, name, code: fixed }]
    if (name !== 'CacheError' && name !== 'JournalWriteError') return []
    return [...argument.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => ({ file, name, code }))
  })
})

test('every code says what happened, what it means for the data, and what to do', (t) => {
  t.true(CODES.length > 20)
  for (const code of CODES) {
    const { message, consequence, advice } = ERRORS[code]
    for (const sentences of [message, consequence, advice]) t.regex(sentences, /^[A-Z].*[^.]\.$/, code)
  }
})

test('every code is used', (t) => {
  for (const code of CODES)
    t.true(
      raised.some((one) => one.code === code),
      code,
    )
})

test('every code that is used is in the table, with its class', (t) => {
  t.true(raised.length > 50)
  for (const { file, name, code } of raised) {
    const row = (ERRORS as Record<string, { classes: readonly string[] } | undefined>)[code]
    t.true(row?.classes.includes(name), `${file}: ${name} ${code}`)
  }
})

const WHAT =
  /new (?:Cache|Value|CacheClosed|CacheLocked|JournalWrite)Error\(\s*(?:'[A-Z_]+',\s*)?(['"`])(.*?)\1\s*[,)]/gs

test('no call site ends what happened with a full stop, because the consequence and the advice follow it', (t) => {
  const texts = sources.flatMap(({ text }) => [...text.matchAll(WHAT)].map(([, , what = '']) => what))
  t.true(texts.length > 40)
  for (const text of texts) t.notRegex(text, /[.!?]$/)
})

test('a message is what happened, followed by the consequence and the advice of the table', (t) => {
  const cause = new Error('EIO')
  const error = new CacheError('SAVE_FAILED', 'all.pickle was not saved: EIO', { cause })
  const { consequence, advice } = ERRORS.SAVE_FAILED
  t.is(error.message, `all.pickle was not saved: EIO. ${consequence} ${advice}`)
  t.is(error.cause, cause)
  t.is(error.code, 'SAVE_FAILED')
})

test('a call site can replace the consequence and the advice of the table', (t) => {
  const { consequence, advice } = ERRORS.INVALID_VALUE
  t.is(new ValueError('No', { advice: 'Do this.' }).message, `No. ${consequence} Do this.`)
  t.is(new ValueError('No', { consequence: 'That is so.' }).message, `No. That is so. ${advice}`)
})

test('an error without a cause has no property cause', (t) => {
  t.false(Object.hasOwn(new ValueError('No'), 'cause'))
})

test('a CorruptionError has the file, the byte and the sequence', (t) => {
  const error = new CorruptionError({ file: 'a.segment', offset: 64, sequence: 7, reason: 'zeros' })
  t.like(error, { code: 'CORRUPTION', file: 'a.segment', offset: 64, sequence: 7, reason: 'zeros' })
  const { consequence, advice } = ERRORS.CORRUPTION
  t.is(error.message, `a.segment is damaged at byte 64, where sequence 7 should be: zeros. ${consequence} ${advice}`)
})

test('docs/errors.md is generated from the table by npm run docs', (t) => {
  t.is(readFileSync(ERRORS_PAGE, 'utf8'), errorsPage())
})
