/**
 * What `npm pack` packs, in dist/: the build as ES modules (src/) and as CommonJS (commonjs/), without source maps, without
 * files that no entry point reaches (the compiler writes none), and without declarations that no public one refers to.
 *
 * In Node.js both `import` and `require` load the ES modules, so that there is one set of classes (the condition `module-sync`).
 * CommonJS is for what does not know that condition: Jest, and TypeScript's older module settings.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
process.chdir(ROOT)
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))

rmSync('dist', { recursive: true, force: true })
for (const project of ['tsconfig.package.json', 'tsconfig.commonjs.json'])
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', project], { stdio: 'inherit' })
writeFileSync('dist/commonjs/package.json', '{ "type": "commonjs" }\n')

const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : Object.values(entry)))
const needed = new Set()
for (const entry of entries) visit(entry)
for (const name of readdirSync('dist', { recursive: true })) {
  const file = join('dist', name)
  if (file.endsWith('.d.ts') && !needed.has(file)) rmSync(file)
}

function visit(file) {
  const declarations = join(file.replace(/\.js$/, '.d.ts'))
  if (needed.has(declarations)) return
  needed.add(declarations)
  const text = readFileSync(declarations, 'utf8')
  for (const [, specifier] of text.matchAll(/\b(?:from |import\()['"](\.[^'"]+)['"]/g))
    visit(join(dirname(declarations), specifier))
}
