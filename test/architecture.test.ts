/**
 * The rules that keep the path of a message easy to follow: which way imports point, where libraries, time and files enter, how
 * long a file may be and what it may be called.
 */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import glob from 'fast-glob'

// Compiled, this file is dist/test/architecture.test.js.
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8')
const packageJson = JSON.parse(read('package.json')) as { dependencies: object; exports: object }

interface Import {
  /** The file that imports, from src/. */
  from: string
  /** A path from src/, or the name of a package. */
  to: string
  isTypeOnly: boolean
}

/** The text of each file of src/. */
const texts = new Map(glob.sync('src/**/*.ts', { cwd: ROOT }).map((file) => [file.slice('src/'.length), read(file)]))
const files = [...texts.keys()]
const imports = [...texts].flatMap(([file, text]) => importsOf(file, text))
const isOurs = (to: string) => texts.has(to)

function importsOf(from: string, text: string): Import[] {
  // Statements stand at the beginning of a line: examples in comments have a star there.
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?(?:([^'"`;]*?)\sfrom\s+)?'([^']+)'/gm)
  const dynamic = text.matchAll(/\bimport\(()()'([^']+)'\)/g)
  return [...statements, ...dynamic].map(([, type, names, specifier = '']) => ({
    from,
    to: specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts') : specifier,
    // `import { type A, type B }` imports nothing at runtime either.
    isTypeOnly: type === 'type ' || /^\{(\s*type\s+\w+(\s+as\s+\w+)?,?)+\s*\}$/.test(names ?? ''),
  }))
}

/** A file without its comments. */
function codeOf(file: string): string {
  return (texts.get(file) ?? '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '')
}

test('this test finds the sources and their imports', (t) => {
  t.true(files.length > 150)
  t.true(imports.length > 800)
  const found = (from: string, to: string) => imports.find((one) => one.from === from && one.to === to)?.isTypeOnly
  t.is(found('core/decide/decide.ts', 'core/model/event.ts'), true)
  t.is(found('open.ts', 'xstate'), false)
  const unknown = imports.filter(({ to }) => to.includes('/src/') || (to.endsWith('.ts') && !isOurs(to)))
  t.deepEqual(unknown, [])
})

// ── which way imports point ──

/**
 * The rooms, from the ground floor up: a room may import from itself and from those above it in this list (which are below it in
 * the house), types included. The longest name that fits a file is its room.
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

test('every file of src/ is in a room, and every room has a file', (t) => {
  const floors = files.map(floorOf)
  t.deepEqual(
    files.filter((_, at) => floors[at] === -1),
    [],
  )
  t.deepEqual(
    FLOORS.filter((_, floor) => !floors.includes(floor)),
    [],
  )
})

test('imports go down, types included', (t) => {
  const wrong = imports
    .filter(({ from, to }) => isOurs(to) && floorOf(to) > floorOf(from))
    .map(({ from, to }) => `${from} imports ${to}`)
  t.deepEqual(wrong, [])
})

test('an edge imports no other edge but edges/remote', (t) => {
  const edgeOf = (file: string) => /^edges\/([^/]+)\//.exec(file)?.[1]
  const wrong = imports.filter(({ from, to }) => {
    const [importer, imported] = [edgeOf(from), edgeOf(to)]
    return importer !== undefined && imported !== undefined && imported !== importer && imported !== 'remote'
  })
  t.deepEqual(wrong, [])
})

test('there are no import cycles, types included', (t) => {
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    else if (!done.has(file)) {
      for (const { from, to } of imports) if (from === file && isOurs(to)) visit(to, [...path, file])
      done.add(file)
    }
  }
  for (const file of files) visit(file, [])
  t.deepEqual(cycles, [])
})

// ── where libraries, files and time enter ──

/** What only these files may import; `even types`: elsewhere not even its types are imported. */
const ENTRANCES: readonly [rule: string, what: RegExp, only: RegExp, extent: 'at runtime' | 'even types'][] = [
  [
    'the composition root and the command line name the disk',
    /^durable\/storage\/disk\./,
    /^(open\.|cli\/)/,
    'even types',
  ],
  ['the storage and the command line open files', /^(node:fs|fs-)/, /^(durable\/storage|cli)\//, 'at runtime'],
  ['the actor and the composition root use xstate', /^xstate$/, /^(cache\/actor\/|open\.)/, 'at runtime'],
  ['streams, here and remote, use rxjs', /^rxjs/, /^(cache\/streams|edges\/remote\/client)\//, 'at runtime'],
  ['edges/threads uses worker threads', /^node:worker_threads$/, /^edges\/threads\//, 'at runtime'],
  ['the command line uses libraries for one', /^(commander|cli-progress|fast-glob)$/, /^cli\//, 'even types'],
]

for (const [rule, what, only, extent] of ENTRANCES) {
  test(`only ${rule}`, (t) => {
    const importers = imports.filter(({ to, isTypeOnly }) => what.test(to) && (extent === 'even types' || !isTypeOnly))
    t.true(importers.length > 0)
    t.deepEqual(
      importers.filter(({ from }) => !only.test(from)),
      [],
    )
  })
}

test('core/ imports neither Node nor packages', (t) => {
  t.deepEqual(
    imports.filter(({ from, to }) => from.startsWith('core/') && !isOurs(to)),
    [],
  )
})

/** What only these files may contain, comments aside. */
const WORDS: readonly [rule: string, words: RegExp, only: RegExp][] = [
  [
    'only the clock and the command line read the time or arm timers',
    // A call of the clock's own method has a dot before it; its declaration and its mention in a text have no arguments.
    /\bDate\.now\b|(?<![.\w])(setTimeout|setInterval)\((?!callback|\))/,
    /^(cache\/system-clock\.ts$|cli\/)/,
  ],
  ['core/ reads neither clocks nor the process', /\b(performance\.|setImmediate|process\.)/, /^(?!core\/)/],
  ['nothing is random but ids, which come from node:crypto', /Math\.random/, /^$/],
  [
    'everything is printed through cli/terminal/output.ts, which escapes control characters',
    /console\.|std(out|err)\.write\b/,
    /^cli\/terminal\/output\.ts$/,
  ],
  [
    'edges/remote does not depend on the line: no ports, threads, shared memory or sockets',
    /worker_threads|MessagePort|SharedArrayBuffer|Atomics|node:net/,
    /^(?!edges\/remote\/)/,
  ],
]

for (const [rule, words, only] of WORDS) {
  test(rule, (t) => {
    t.deepEqual(
      files.filter((file) => !only.test(file) && words.test(codeOf(file))),
      [],
    )
  })
}

test('every imported package is a dependency, every dependency is imported, and Node is imported as node:', (t) => {
  const packages = imports.map(({ to }) => to).filter((to) => !isOurs(to) && !to.startsWith('node:'))
  t.deepEqual([...new Set(packages)].sort(), Object.keys(packageJson.dependencies).sort())
})

// ── files ──

/** One idea, and still long: the public API with its docstrings. */
const LONG = ['cache/cache.ts']

test('no file has more than 350 lines, except the public API', (t) => {
  const long = [...texts].filter(([, text]) => text.trimEnd().split('\n').length > 350)
  t.deepEqual(
    long.map(([file]) => file),
    LONG,
  )
})

test('a file is named after its one idea, in lower case', (t) => {
  const vague = /^(utils?|helpers?|types?|common|misc|shared|lib|base|core)\.ts$/
  t.deepEqual(
    files.map((file) => posix.basename(file)).filter((name) => vague.test(name) || name !== name.toLowerCase()),
    [],
  )
})

test("there are no barrels: only the package's entry points re-export", (t) => {
  const entries = JSON.stringify(packageJson.exports)
  const wrong = [...texts].filter(([file, text]) => {
    const reexports = [...text.matchAll(/^export (type )?\{[^}]*\} from/gm)].length
    return /^export \*/m.test(text) || (reexports > 3 && !entries.includes(`/src/${file.replace(/\.ts$/, '.js')}`))
  })
  t.deepEqual(
    wrong.map(([file]) => file),
    [],
  )
})

// ── tests ──

test('the conformance suites use no test runner', (t) => {
  const suites = glob.sync('test/conformance/*.ts', { cwd: ROOT })
  t.true(suites.length > 3)
  for (const suite of suites) t.notRegex(read(suite), /from '(ava|node:test)'/, suite)
})

test('what is neither a test, a suite nor a fixture is in test/helpers/', (t) => {
  const others = glob.sync('test/**/*.ts', {
    cwd: ROOT,
    ignore: ['**/*.test.ts', '**/fixtures/**', 'test/conformance/**', 'test/helpers/**'],
  })
  t.deepEqual(others, [])
})

test('every test that the configurations and the documents name exists', (t) => {
  const named = [
    'package.json',
    'ava.quick.config.js',
    'CONTRIBUTING.md',
    'README.md',
    ...glob.sync('docs/**/*.md', { cwd: ROOT }),
  ]
    .flatMap((file) => [...read(file).matchAll(/\btest\/[\w/{},.-]+\.ts\b/g)].map(([path]) => path))
    .flatMap((path) => (glob.sync(path, { cwd: ROOT }).length === 0 ? [path] : []))
  t.deepEqual(named, [])
})
