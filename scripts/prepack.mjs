/**
 * What `npm pack` packs, in dist/: the library as ES modules (src/) and as CommonJS (commonjs/), without source maps, and without
 * modules and declarations that no entry point reaches, such as the modules that hold only types.
 *
 * In Node.js both `import` and `require` load the ES modules, so that there is one set of classes (the condition `module-sync`).
 * CommonJS is for what does not know that condition: Jest, and TypeScript's older module settings.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const { exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))

rmSync('dist', { recursive: true, force: true })
for (const project of ['tsconfig.package.json', 'tsconfig.commonjs.json'])
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', project], { stdio: 'inherit' })

const reached = new Set()
for (const module of Object.values(exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : Object.values(entry),
)) {
  reach(join(module))
  reach(declarationsOf(join(module)))
}
for (const module of Object.values(bin)) reach(join(module))

for (const entry of readdirSync('dist', { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name)
  if (entry.isFile() && !reached.has(file)) rmSync(file)
}
writeFileSync('dist/commonjs/package.json', '{ "type": "commonjs" }\n')

function reach(file) {
  if (reached.has(file)) return
  reached.add(file)
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
    /\b(?:from |import |import\(|require\()['"](\.[^'"]+)['"]/g,
  )) {
    const module = join(dirname(file), specifier)
    reach(file.endsWith('.d.ts') ? declarationsOf(module) : module)
  }
}

function declarationsOf(module) {
  return module.replace(/\.js$/, '.d.ts')
}
