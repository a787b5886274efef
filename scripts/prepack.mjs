/**
 * What `npm pack` packs, in dist/: the library as ES modules (src/) and as CommonJS (commonjs/), in a few files, because loading
 * a hundred takes longer than running them. No source maps, and only declarations that a public one refers to.
 *
 * In Node.js both `import` and `require` load the ES modules, so that there is one set of classes (the condition `module-sync`).
 * CommonJS is for what does not know that condition: Jest, and TypeScript's older module settings.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const { exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const modules = Object.values(exports).flatMap((entry) => entry['module-sync'] ?? [])
const sourceOf = (module) => join(module).replace(/^dist\/(.*)\.js$/, '$1.ts')

rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.package.json'], {
  stdio: 'inherit',
})
const common = { platform: 'node', target: 'node20.19', logLevel: 'warning' }
await build({
  ...common,
  entryPoints: [...modules, ...Object.values(bin)].map(sourceOf),
  outbase: 'src',
  outdir: 'dist/src',
  format: 'esm',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  packages: 'external',
})

// Each module once more, as CommonJS, but for those of the command line alone.
const library = reachedFrom(modules.map((module) => join(module)))
await build({
  ...common,
  entryPoints: [...library],
  outbase: 'dist/src',
  outdir: 'dist/commonjs',
  format: 'cjs',
  supported: { 'dynamic-import': false }, // Jest has none without a flag
})
writeFileSync('dist/commonjs/package.json', '{ "type": "commonjs" }\n')

const declarations = reachedFrom(modules.map((module) => declarationsOf(join(module))))
for (const entry of readdirSync('dist/src', { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name)
  if (!entry.isFile() || !file.endsWith('.d.ts')) continue
  if (!declarations.has(file)) rmSync(file)
  else {
    const copy = join('dist/commonjs', relative('dist/src', file))
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(file, copy)
  }
}

function reachedFrom(files) {
  const reached = new Set(files)
  for (const file of reached) {
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/\b(?:from |import |import\()["'](\.[^"']+)["']/g)) {
      const module = join(dirname(file), name)
      reached.add(file.endsWith('.d.ts') ? declarationsOf(module) : module)
    }
  }
  return reached
}

function declarationsOf(module) {
  return module.replace(/\.js$/, '.d.ts')
}
