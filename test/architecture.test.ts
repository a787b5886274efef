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
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8')
const packageJson = JSON.parse(read('package.json')) as {
  dependencies: object
  peerDependencies: object
  exports: object
}

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

/** A rule, and the files, imports or circles that break it. */
function rule(title: string, broken: () => readonly unknown[]): void {
  test(title, (t) => t.deepEqual(broken(), []))
}

test('this test finds the sources and their imports', (t) => {
  t.true(files.length > 150)
  t.true(imports.length > 800)
  const found = (from: string, to: string) => imports.find((one) => one.from === from && one.to === to)?.isTypeOnly
  t.is(found('core/decide/decide.ts', 'core/model/event.ts'), true)
  t.is(found('open.ts', 'xstate'), false)
})

rule('every import of a file finds it', () =>
  imports.filter(({ to }) => to.includes('/src/') || (to.endsWith('.ts') && !isOurs(to))),
)

// ── which way imports point ──

type Arrow = readonly [from: string, to: string]

const internal = imports.filter(({ to }) => isOurs(to))

/** Where the paths of two files part: two folders, or a folder and files beside it. At the top of src/ a file is like a folder. */
const betweenRooms = internal.map(({ from, to }): Arrow => {
  const [a, b] = [from.split('/'), to.split('/')]
  let depth = 0
  while (depth < a.length && a[depth] === b[depth]) depth++
  const isRoom = (path: string[]) => depth === 0 || depth < path.length - 1
  const room = (path: string[]) =>
    (isRoom(path) ? path.slice(0, depth + 1) : [...path.slice(0, depth), '*.ts']).join('/')
  return [room(a), room(b)]
})

function circlesIn(arrows: readonly Arrow[]): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) circles.push([...path.slice(path.indexOf(node)), node].join(' → '))
    else if (!done.has(node)) {
      for (const [from, to] of arrows) if (from === node && to !== from) visit(to, [...path, node])
      done.add(node)
    }
  }
  for (const [from] of arrows) visit(from, [])
  return circles
}

rule('there is no circle of files, types included', () => circlesIn(internal.map(({ from, to }) => [from, to])))

rule('there is no circle of folders at any depth, types included', () => circlesIn(betweenRooms))

/** From the ground floor up, as the document draws them. */
const FLOORS = /^errors ← .*$/m.exec(read('docs/architecture.md'))?.[0].split(' ← ') ?? []
const floorOf = (path: string) => FLOORS.indexOf(path.replace(/(\/|\.ts$).*/, ''))

test('every file is on a floor that docs/architecture.md draws, and every floor has a file', (t) => {
  t.deepEqual(new Set(files.map(floorOf).sort((a, b) => a - b)), new Set(FLOORS.keys()))
})

rule('imports go down those floors, types included', () =>
  internal.filter(({ from, to }) => floorOf(to) > floorOf(from)),
)

rule('an edge imports no other edge but edges/remote', () =>
  betweenRooms.filter(([from, to]) => /^edges\/\w+$/.test(from) && to !== from && to !== 'edges/remote'),
)

// ── where libraries, files and time enter ──

/** What only these files may import; `even types`: elsewhere not even its types are imported. */
const ENTRANCES: readonly [title: string, what: RegExp, only: RegExp, extent: 'at runtime' | 'even types'][] = [
  [
    'the composition root and the command line name the disk',
    /^durable\/storage\/disk\./,
    /^(open\.|cli\/)/,
    'even types',
  ],
  ['the storage and the command line open files', /^(node:fs|fs-)/, /^(durable\/storage|cli)\//, 'at runtime'],
  ['the actor and the composition root use xstate', /^xstate$/, /^(cache\/actor\/|open\.)/, 'at runtime'],
  [
    'streams, here, remote, of another owner and of a node, use rxjs',
    /^rxjs/,
    /^(cache\/streams|edges\/remote\/client|edges\/processes\/(client|owner)|edges\/cluster\/client)\//,
    'at runtime',
  ],
  [
    'edges/threads uses worker threads, and real timers a port',
    /^node:worker_threads$/,
    /^(edges\/threads\/|durable\/storage\/real-timers\.)/,
    'at runtime',
  ],
  ['daybook/nats uses NATS', /^@nats-io\//, /^(edges\/cluster\/nats\/|nats\.)/, 'even types'],
  ['the command line uses libraries for one', /^(commander|cli-progress|fast-glob)$/, /^cli\//, 'even types'],
]

for (const [title, what, only, extent] of ENTRANCES) {
  test(`only ${title}`, (t) => {
    const importers = imports.filter(({ to, isTypeOnly }) => what.test(to) && (extent === 'even types' || !isTypeOnly))
    t.true(importers.length > 0)
    const others = importers.filter(({ from }) => !only.test(from))
    t.deepEqual(others, [])
  })
}

rule('core/ imports neither Node nor packages', () =>
  imports.filter(({ from, to }) => from.startsWith('core/') && !isOurs(to)),
)

/** What only these files may contain, comments aside. */
const WORDS: readonly [title: string, words: RegExp, only: RegExp][] = [
  [
    'only the clock, where its timers come from, and the command line read the time or arm timers',
    // A call of the clock's own method has a dot before it; its declaration and its mention in a text have no arguments.
    /\bDate\.now\b|(?<![.\w])(setTimeout|setInterval)\((?!callback|\))/,
    /^(cache\/system-clock\.ts$|durable\/storage\/real-timers\.ts$|cli\/)/,
  ],
  ['core/ reads neither clocks nor the process', /\b(performance\.|setImmediate|process\.)/, /^(?!core\/)/],
  [
    'nothing is random but ids, from node:crypto, and the jitter of a ttl, from an option that defaults to Math.random',
    /Math\.random/,
    /^cache\/options\.ts$/,
  ],
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

rule('an AsyncLocalStorage is made once, not for each cache or client: Node keeps each of them', () =>
  files.filter((file) => /^[ \t].*new AsyncLocalStorage\b/m.test(codeOf(file))),
)

for (const [title, words, only] of WORDS) {
  rule(title, () => files.filter((file) => !only.test(file) && words.test(codeOf(file))))
}

test('every imported package is a dependency, every dependency is imported, and Node is imported as node:', (t) => {
  const packages = imports
    .map(({ to }) => to)
    .filter((to) => !isOurs(to) && !to.startsWith('node:'))
    .map((to) => to.replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1')) // rxjs/internal/Observable
  const { dependencies, peerDependencies } = packageJson
  const declared = Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !name.startsWith('@types/'))
  t.deepEqual([...new Set(packages)].sort(), declared.sort())
})

// ── files ──

/** Each with the reason why it is longer than 350 lines. */
const LONG = new Map([
  ['errors.ts', 'the table of all errors, and their classes: one idea'],
  ['cache/cache.ts', 'the public API with its docstrings: one idea'],
])

test('no file has more than 350 lines without a reason', (t) => {
  const long = files.filter((file) => (texts.get(file) ?? '').trimEnd().split('\n').length > 350)
  t.deepEqual(long, [...LONG.keys()])
})

rule('a file is named after its one idea, in lower case', () => {
  const vague = /^(utils?|helpers?|types?|common|misc|shared|lib|base|core)\.ts$/
  return files.filter((file) => vague.test(posix.basename(file)) || file !== file.toLowerCase())
})

rule("there are no barrels: only the package's entry points re-export", () => {
  const entries = JSON.stringify(packageJson.exports)
  return files.filter((file) => {
    const reexports = [...(texts.get(file) ?? '').matchAll(/^export (type )?(\*|\{[^}]*\} from)/gm)]
    const isEntry = entries.includes(`/src/${file.replace(/\.ts$/, '.js')}`)
    return reexports.some(([, , what]) => what === '*') || (reexports.length > 3 && !isEntry)
  })
})

// ── tests ──

test('the conformance suites use no test runner', (t) => {
  const suites = glob.sync('{src/testing,test}/conformance/*.ts', { cwd: ROOT })
  t.true(suites.length > 3)
  for (const suite of suites) t.notRegex(read(suite), /from '(ava|node:test)'/, suite)
})

// The contract of `durable/` is tested with the journals that implement it.
rule('every folder of src/ has a folder with its tests', () => {
  const tested = new Set(glob.sync('test/**/*.test.ts', { cwd: ROOT }).map((file) => posix.dirname(file)))
  const folders = new Set(files.map((file) => posix.dirname(file)))
  return [...folders].filter((folder) => folder !== 'durable' && !tested.has(posix.join('test', folder)))
})

rule('what is neither a test nor a suite is in test/helpers/', () =>
  glob.sync('test/**/*.ts', { cwd: ROOT, ignore: ['**/*.test.ts', 'test/{conformance,ecosystem,helpers}/**'] }),
)

rule('every test that the configurations and the documents name exists', () =>
  glob
    .sync(['{README,CONTRIBUTING}.md', 'docs/**/*.md', 'package.json', 'ava.*.js'], { cwd: ROOT })
    .flatMap((file) => [...read(file).matchAll(/\btest\/[\w/{},.*-]+\.ts\b/g)].map(([path]) => path))
    .filter((path) => glob.sync(path, { cwd: ROOT }).length === 0),
)
