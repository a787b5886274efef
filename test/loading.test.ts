/** What `import 'daybook'` loads, and that a cache works where the native addon of the lock cannot be loaded. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { temporaryDirectory } from './helpers/temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url)) // from dist/test
const run = promisify(execFile)

/** Hooks of Node's module loader, as the text of a module. */
function withHooks(hooks: string): string {
  const url = `data:text/javascript,${encodeURIComponent(hooks)}`
  return `--import=data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register(${JSON.stringify(url)})`)}`
}

const PRINTING = withHooks(
  'export async function load(url, context, next) { process._rawDebug(url); return next(url, context) }',
)
const WITHOUT_ADDON = withHooks(
  `export async function resolve(name, context, next) {
     if (name === 'fs-native-extensions') throw new Error('No build for this system\\nand more lines')
     return next(name, context)
   }`,
)

/** Runs a program in a process of its own, from the package's directory, so that 'daybook' is this package. */
async function runProgram(hooks: string, program: string): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [hooks, '--input-type=module', '--eval', program], { cwd: ROOT })
}

async function loadedBy(program: string): Promise<string[]> {
  const { stderr } = await runProgram(PRINTING, program)
  const urls = stderr.split('\n').filter((line) => line.startsWith('file:'))
  return urls.map((url) => url.replace(/^.*\/(node_modules|dist\/src)\//, ''))
}

const ON_DEMAND =
  /^(fs-native-extensions|fast-glob|commander|cli-progress|cli\/|files\/(save|load)\.|files\/pickle\/|edges\/threads\/(client|line)\/|edges\/remote\/(client|owner)\/)/

test("import 'daybook' and a cache in memory load only what a plain cache uses", async (t) => {
  const loaded = await loadedBy(`
    import { memoryJournal, openCache } from 'daybook'
    const cache = await openCache({ journal: memoryJournal() })
    cache.set('a', 1)
    await cache.close()`)
  t.true(loaded.includes('open.js'))
  t.deepEqual(
    loaded.filter((file) => ON_DEMAND.test(file)),
    [],
  )
  t.false(loaded.includes('rxjs/dist/cjs/index.js')) // all of its operators
})

test('what a cache loads on demand comes with the call that needs it', async (t) => {
  const loaded = await loadedBy(`
    import { openCache } from 'daybook'
    const cache = await openCache({ directory: ${JSON.stringify(temporaryDirectory(t))} })
    cache.share().close()
    await cache.close()`)
  for (const part of [/^fs-native-extensions/, /^edges\/remote\/owner\//])
    t.true(loaded.some((file) => part.test(file)))
})

test('without the addon a cache in memory works', async (t) => {
  const { stdout } = await runProgram(
    WITHOUT_ADDON,
    `import { memoryJournal, openCache } from 'daybook'
     const cache = await openCache({ journal: memoryJournal() })
     cache.set('a', 1)
     console.log(cache.get('a'))
     await cache.close()`,
  )
  t.is(stdout, '1\n')
})

for (const runtime of ['bun', 'deno']) {
  test(`in ${runtime} the addon, which would end the process, is not loaded`, async (t) => {
    const directory = JSON.stringify(temporaryDirectory(t))
    const { stdout } = await runProgram(
      PRINTING,
      `Object.defineProperty(process.versions, '${runtime}', { value: '1' })
       const { openCache } = await import('daybook')
       console.log((await openCache({ directory: ${directory} }).catch((error) => error)).code)`,
    )
    t.is(stdout, 'LOCK_UNAVAILABLE\n')
  })
}

test('without the addon a directory is refused with LOCK_UNAVAILABLE, and opens with lock: false', async (t) => {
  const directory = JSON.stringify(join(temporaryDirectory(t), 'journal'))
  const { stdout } = await runProgram(
    WITHOUT_ADDON,
    `import { CacheError, openCache } from 'daybook'
     const error = await openCache({ directory: ${directory} }).catch((error) => error)
     console.log(error instanceof CacheError, error.code, error.message)
     for (let time = 1; time <= 2; time++) {
       const cache = await openCache({ directory: ${directory}, lock: false })
       console.log(cache.increment('a'))
       await cache.close()
     }`,
  )
  t.is(
    stdout,
    'true LOCK_UNAVAILABLE The directory cannot be locked: the native addon of fs-native-extensions cannot be loaded here' +
      ' (No build for this system). No file of a journal was read or changed. Leave fs-native-extensions out of a bundle' +
      ' and install it beside the bundle. Where it has no build, and only if nothing else opens this directory meanwhile,' +
      ' use the option lock: false.\n1\n2\n',
  )
})
