/**
 * The rules that keep the path of a message easy to follow: which way imports point, where libraries, time and files enter, how
 * long a file may be and what it may be called.
 */
import { readFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import glob from 'fast-glob'

// Compiled, this file is dist/test/architecture.test.js.
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

interface Import {
  /** The file that imports, from src/. */
  from: string
  /** A path from src/, or the name of a package. */
  to: string
  isOurs: boolean
  isTypeOnly: boolean
}

const files = glob.sync('src/**/*.ts', { cwd: ROOT }).sort()
const texts = new Map(files.map((file) => [file.slice('src/'.length), readFileSync(`${ROOT}${file}`, 'utf8')]))
const imports = [...texts].flatMap(([file, text]) => importsOf(file, text))

function importsOf(from: string, text: string): Import[] {
  const found: Import[] = []
  // At the beginning of a line: examples in comments have a star there.
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?((?:[^'"`;]*?)\sfrom\s+)?'([^']+)'/gm)
  for (const [, type, clause = '', specifier = ''] of statements) {
    const isOurs = specifier.startsWith('.')
    const to = isOurs ? posix.join(dirname(from), specifier).replace(/\.js$/, '.ts') : specifier
    // `import { type A, type B }` imports nothing at runtime either.
    const names = /\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean)
    const isTypeOnly = type !== undefined || (names?.every((name) => name.startsWith('type ')) ?? false)
    found.push({ from, to, isOurs, isTypeOnly })
  }
  for (const [, specifier = ''] of text.matchAll(/\bimport\('([^']+)'\)/g)) {
    const isOurs = specifier.startsWith('.')
    found.push({
      from,
      to: isOurs ? posix.join(dirname(from), specifier).replace(/\.js$/, '.ts') : specifier,
      isOurs,
      isTypeOnly: false,
    })
  }
  return found
}

/** A file without its comments. */
function codeOf(file: string): string {
  return (texts.get(file) ?? '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '')
}

/**
 * The rooms, from the ground floor up: a room may import those above it in this list (which are below it in the house), types
 * included, and none of the others. Every folder and every file of src/ itself lies in one; the longest name that fits counts.
 */
const FLOORS = [
  'errors.ts',
  'core/model/',
  'core/decide/',
  'core/evolve/',
  'values/',
  'durable/contract.ts',
  'durable/storage/',
  'durable/format/',
  'durable/snapshot/',
  'durable/history/',
  'durable/recovery/',
  'durable/journal/',
  'files/pickle/',
  'files/',
  'cache/turns/',
  'cache/actor/',
  'cache/streams/',
  'cache/',
  'edges/remote/',
  'edges/threads/',
  'open.ts',
  'testing.ts',
  'index.ts',
  'cli/',
]

function floorOf(file: string): number {
  const rooms = FLOORS.filter((room) => file.startsWith(room)).sort((a, b) => b.length - a.length)
  return FLOORS.indexOf(rooms[0] ?? '')
}

test('the test sees the sources', (t) => {
  t.true(files.length > 50)
  t.true(imports.length > 200)
  t.true(imports.some(({ from, to }) => from === 'core/decide/decide.ts' && to === 'core/model/event.ts'))
  t.true(imports.some(({ from, to, isTypeOnly }) => from === 'open.ts' && to === 'xstate' && !isTypeOnly))
  for (const { to, isOurs } of imports) if (isOurs) t.true(texts.has(to) || texts.has(to.replace(/\.ts$/, '.d.ts')), to)
})

test('every file of src/ is in a room', (t) => {
  t.deepEqual(
    [...texts.keys()].filter((file) => floorOf(file) < 0),
    [],
  )
})

test('imports go down, types included', (t) => {
  const wrong = imports
    .filter(({ from, to, isOurs }) => isOurs && floorOf(to) > floorOf(from))
    .map(({ from, to }) => `${from} imports ${to}`)
  t.deepEqual(wrong, [])
})

test('core/ depends on nothing but its arguments: no Node, no packages, no clock, no randomness', (t) => {
  const wrong = imports.filter(({ from, isOurs }) => !isOurs && from.startsWith('core/'))
  t.deepEqual(wrong, [])
  for (const file of texts.keys()) {
    if (!file.startsWith('core/') || file === 'core/model/clock.ts') continue
    t.notRegex(codeOf(file), /\b(Date\.|performance\.|Math\.random|setTimeout|setImmediate|process\.)/, file)
  }
})

test('only cache/actor/ and the composition root import xstate at runtime', (t) => {
  const wrong = imports
    .filter(({ to, isTypeOnly }) => to === 'xstate' && !isTypeOnly)
    .map(({ from }) => from)
    .filter((from) => !from.startsWith('cache/actor/') && from !== 'open.ts')
  t.deepEqual(wrong, [])
})

test('the command line writes through cli/output.ts alone, which escapes control characters', (t) => {
  const writers = [...texts.keys()].filter((file) => /console\.|std(out|err)\.write\b/.test(codeOf(file)))
  t.deepEqual(writers, ['cli/output.ts'])
})

test('only streams/ and the thread client import rxjs at runtime', (t) => {
  const wrong = imports
    .filter(({ to, isTypeOnly }) => to.startsWith('rxjs') && !isTypeOnly)
    .map(({ from }) => from)
    .filter((from) => !/^(cache\/streams|edges|cli)\//.test(from))
  t.deepEqual(wrong, [])
})

test('only durable/storage/ and the command line open files', (t) => {
  const wrong = imports
    .filter(({ to, isTypeOnly }) => /^(node:fs|fast-glob|fs-native-extensions)/.test(to) && !isTypeOnly)
    .map(({ from }) => from)
    .filter((from) => !/^(durable\/storage|cli)\//.test(from))
  t.deepEqual(wrong, [])
})

test('only the composition root and the command line say that storage is the disk', (t) => {
  const wrong = imports
    .filter(({ to }) => to === 'durable/storage/disk.ts')
    .map(({ from }) => from)
    .filter((from) => from !== 'open.ts' && !from.startsWith('cli/'))
  t.deepEqual(wrong, [])
})

test('edges/remote is the same over every line: it knows nothing of ports, threads or shared memory', (t) => {
  const wrong = [...texts.keys()].filter(
    (file) =>
      file.startsWith('edges/remote/') &&
      /worker_threads|MessagePort|SharedArrayBuffer|Atomics|node:net/.test(texts.get(file) ?? ''),
  )
  t.deepEqual(wrong, [])
})

test('an edge imports no other edge, but for what all of them share', (t) => {
  const edgeOf = (file: string) => /^edges\/([^/]+)\//.exec(file)?.[1]
  const wrong = imports.filter(({ from, to }) => {
    const [importer, imported] = [edgeOf(from), edgeOf(to)]
    return importer !== undefined && imported !== undefined && imported !== importer && imported !== 'remote'
  })
  t.deepEqual(wrong, [])
})

test('only the clock reads the time or arms timers', (t) => {
  const wrong = [...texts.keys()].filter((file) => {
    if (file === 'cache/system-clock.ts' || file.startsWith('cli/')) return false
    // A call of the clock's own method has a dot before it; its declaration and its mention in a text have no arguments.
    return /\bDate\.now\b|(?<![.\w])(setTimeout|setInterval)\((?!callback|\))/.test(codeOf(file))
  })
  t.deepEqual(wrong, [])
})

test('every imported package is a dependency, every dependency is imported, and Node is imported as node:', (t) => {
  const { dependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    dependencies: Record<string, string>
  }
  const wrong = imports.filter(
    ({ to, isOurs }) => !isOurs && !to.startsWith('node:') && !Object.hasOwn(dependencies, to),
  )
  t.deepEqual(wrong, [])
  const used = new Set(imports.map(({ to }) => to))
  t.deepEqual(
    Object.keys(dependencies).filter((name) => !used.has(name)),
    [],
    'dependencies that are not imported',
  )
})

/** One idea, and still long: the public API with its docstrings. */
const LONG = new Set(['cache/cache.ts'])

test('no file has more than 350 lines, except the one that is named', (t) => {
  const long = [...texts]
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > 350 && !LONG.has(file))
  t.deepEqual(long, [])
})

test('a file is named after its one idea', (t) => {
  const vague = /^(utils?|helpers?|types?|common|misc|shared|lib|base|core)\.ts$/
  t.deepEqual(
    [...texts.keys()].filter((file) => vague.test(posix.basename(file))),
    [],
  )
  t.deepEqual(
    [...texts.keys()].filter((file) => posix.basename(file) !== posix.basename(file).toLowerCase()),
    [],
  )
})

test("there are no barrels: only the package's entry points re-export", (t) => {
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { exports: Record<string, unknown> }
  const entries = JSON.stringify(exports)
  const wrong: string[] = []
  for (const [file, text] of texts) {
    if (posix.basename(file) === 'index.ts' && file !== 'index.ts') wrong.push(file)
    if (/^export \*/m.test(text)) wrong.push(`${file}: export *`)
    const reexports = [...text.matchAll(/^export (type )?\{[^}]*\} from/gm)].length
    if (reexports > 3 && !entries.includes(`/src/${file.replace(/\.ts$/, '.js')}`))
      wrong.push(`${file}: ${reexports} re-exports`)
  }
  t.deepEqual(wrong, [])
})

test('the conformance suites know no test runner', (t) => {
  const suites = glob.sync('test/conformance/*.ts', { cwd: ROOT })
  t.true(suites.length > 3)
  for (const suite of suites) t.notRegex(readFileSync(`${ROOT}${suite}`, 'utf8'), /from '(ava|node:test)'/, suite)
})

test('there are no import cycles: in durable/ not even of types, elsewhere none at runtime', (t) => {
  const edges = new Map<string, string[]>()
  for (const { from, to, isOurs, isTypeOnly } of imports) {
    if (isOurs && (!isTypeOnly || from.startsWith('durable/'))) edges.set(from, [...(edges.get(from) ?? []), to])
  }
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    else if (!done.has(file)) {
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
  }
  for (const file of edges.keys()) visit(file, [])
  t.deepEqual(cycles, [])
})
