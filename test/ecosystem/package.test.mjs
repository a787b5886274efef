/**
 * The package as users get it: packed, installed, and tried with their tools. `npm run test:ecosystem`, and in .ci/run.
 * TypeScript is version 5 here, as the tools and most users have it.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { project } from './packed.mjs'
import { runTool } from './run-tool.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const { DAYBOOK_TARBALL: tarball } = process.env
const node = async (...parameters) => (await run(process.execPath, parameters, { cwd: project })).stdout

test('publint finds nothing', async (t) => {
  t.regex(await runTool(t, 'publint', 'run', '--strict', 'node_modules/daybook'), /All good/)
})

test('the types resolve in every mode (are the types wrong?)', async (t) => {
  t.regex(await runTool(t, 'attw', tarball), /No problems found/)
})

const STRICT = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node']
/** Without what TypeScript knows of the browser: nothing may depend on it. */
const BARE = [...STRICT, '--lib', 'es2022']

for (const [title, fixtures, ...options] of [
  ['node16', ['commonjs.cts', 'module.mts'], '--module', 'node16', ...BARE],
  ['nodenext', ['commonjs.cts', 'module.mts'], '--module', 'nodenext', ...BARE],
  ['node10', ['commonjs.cts'], '--module', 'commonjs', '--moduleResolution', 'node10', '--esModuleInterop', ...BARE],
  ['bundler', ['module.mts'], '--module', 'esnext', '--moduleResolution', 'bundler', ...BARE],
  ['beside XState and RxJS', ['xstate.mts'], '--module', 'nodenext', '--skipLibCheck', ...STRICT],
]) {
  test(`TypeScript 5 compiles programs without skipLibCheck: ${title}`, async (t) => {
    const outDir = join(project, 'out', title)
    await runTool(t, 'tsc', ...options, '--outDir', outDir, ...fixtures.map((file) => `fixtures/${file}`))
    for (const file of await readdir(outDir)) t.regex(await node(join(outDir, file)), /^(CACHE_CLOSED|1\n1)\n$/, file)
  })
}

test('TypeScript 5 accepts the adapters where the types of their frameworks ask for them', async (t) => {
  const outDir = join(project, 'out', 'adapters')
  const options = ['--module', 'nodenext', '--skipLibCheck', '--esModuleInterop', ...STRICT]
  await runTool(t, 'tsc', ...options, '--outDir', outDir, 'fixtures/adapters.mts')
  t.is(await node(join(outDir, 'adapters.mjs')), '1\n')
})

test('Jest runs it without flags', async (t) => {
  t.regex(await runTool(t, 'jest', '--rootDir', 'fixtures', '--testMatch', '**/jest.test.js'), /3 passed/)
})

test('in Node, require and import give one set of classes', async (t) => {
  const program = `
    import { createRequire } from 'node:module'
    import * as imported from 'daybook'
    import * as threads from 'daybook/threads'
    const required = createRequire(import.meta.url)('daybook')
    const cache = await required.openCache({ journal: required.memoryJournal() })
    await cache.close()
    try {
      cache.get('a')
    } catch (error) {
      console.log(error instanceof imported.CacheClosedError, error instanceof threads.CacheError, required.openCache === imported.openCache)
    }`
  const file = join(project, 'classes.mjs')
  await writeFile(file, program)
  t.is(await node('--no-warnings', file), 'true true true\n')
})

test('each entry point is also a CommonJS module for what knows only that', async (t) => {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  for (const [name, entry] of Object.entries(exports)) {
    if (typeof entry === 'string' || name === './nats') continue // nats loads only beside its optional peers
    const names = (path) =>
      node('-p', `Object.keys(require(${JSON.stringify(join(project, 'node_modules/daybook', path))})).sort().join()`)
    t.is(await names(entry.require), await names(entry['module-sync']))
  }
})

test('the package has no source maps, and no file of the build that nothing loads', async (t) => {
  const files = (await readdir(join(project, 'node_modules/daybook/dist'), { recursive: true })).filter((file) =>
    /\.\w+$/.test(file),
  )
  t.deepEqual(
    files.filter((file) => file.endsWith('.map')),
    [],
  )
  const texts = await Promise.all(
    files.map((file) => readFile(join(project, 'node_modules/daybook/dist', file), 'utf8')),
  )
  t.deepEqual(
    files.filter((_, index) => texts[index].includes('sourceMappingURL')),
    [],
  )
  const needed = new Set(['src/cli/main.js', 'commonjs/package.json'])
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  for (const entry of Object.values(exports))
    for (const path of Object.values(entry).filter((path) => path.startsWith('./dist/')))
      for (const file of [path, path.replace(/js$/, 'd.ts')]) needed.add(file.slice('./dist/'.length))
  for (const file of needed) {
    const text = texts[files.indexOf(file)] ?? ''
    for (const [, specifier] of text.matchAll(/\b(?:from |import |import\(|require\()["'](\.[^'"]+)['"]/g)) {
      const target = join(file, '..', specifier)
      needed.add(file.endsWith('.d.ts') ? target.replace(/js$/, 'd.ts') : target)
    }
  }
  t.deepEqual(
    files.filter((file) => !needed.has(file)),
    [],
  )
})
