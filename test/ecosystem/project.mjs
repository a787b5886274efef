/** Packs the library, and installs it in a copy of this folder: once for all test files (ava.ecosystem.config.js). */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = join(HERE, '../..')

/** The directories of the copy, and the packed file. */
export async function packedProject() {
  const root = await mkdtemp(join(tmpdir(), 'daybook-ecosystem-'))
  // Packing replaces dist/, where other tests may be running: so a copy is packed.
  const copy = join(root, 'copy')
  const notCopied = /^(\.git|dist|journal|node_modules|bench|test)$/
  for (const name of await readdir(ROOT))
    if (!notCopied.test(name)) await cp(join(ROOT, name), join(copy, name), { recursive: true })
  await cp(join(ROOT, 'node_modules'), join(copy, 'node_modules'), { recursive: true })
  await run('npm', ['pack', '--silent', '--pack-destination', root], { cwd: copy })
  const tarball = join(
    root,
    (await readdir(root)).find((name) => name.endsWith('.tgz')),
  )
  const project = join(root, 'project')
  await cp(HERE, project, { recursive: true })
  await run(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', tarball],
    { cwd: project },
  )
  return { root, project, tarball }
}
